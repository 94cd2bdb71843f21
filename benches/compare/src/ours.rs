//! nexowire, as a user calls it.

use nexowire_core::classify::Classified;
use nexowire_core::limits::Limits;
use nexowire_core::nexo::{Field, Kind, View};
use nexowire_core::shape::Shapes;
use nexowire_core::span::Encoding;

const HEADER: [Field; 8] = [
    Field::MessageClass,
    Field::MessageCategory,
    Field::MessageType,
    Field::ProtocolVersion,
    Field::PoiId,
    Field::SaleId,
    Field::ServiceId,
    Field::DeviceId,
];
const EVENT: [Field; 3] = [Field::EventToNotify, Field::EventDetails, Field::EventTimeStamp];
const DISPLAY: [Field; 1] = [Field::ReferenceId];
const RESPONSE: [Field; 4] = [Field::Result, Field::ErrorCondition, Field::AdditionalResponse, Field::PoiTransactionId];

/// What one thread keeps from message to message.
pub(crate) struct Reader {
    shapes: Shapes,
    classified: Classified,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Self { shapes: Shapes::new(Limits::default()), classified: Classified::default() }
    }

    /// The one line that says which way in is measured.
    #[inline]
    fn read(&mut self, body: &[u8]) -> &Classified {
        self.shapes.classify_into(body, &mut self.classified);
        &self.classified
    }

    /// The sum of the lengths of what is extracted; `None` if the message is not JSON.
    #[inline]
    pub(crate) fn sum(&mut self, body: &[u8]) -> Option<u64> {
        let Classified { fields, error: None } = self.read(body) else { return None };
        let view = View::new(body, fields);
        Some(match fields.kind {
            Kind::Event => lengths(view, HEADER) + lengths(view, EVENT),
            Kind::Display => lengths(view, HEADER) + lengths(view, DISPLAY),
            Kind::Response => lengths(view, HEADER) + lengths(view, RESPONSE),
            Kind::Request => lengths(view, HEADER) + lengths(view, EVENT) + lengths(view, DISPLAY),
            _ => 0,
        })
    }
}

#[inline(always)]
fn lengths<const N: usize>(view: View<'_>, fields: [Field; N]) -> u64 {
    fields.into_iter().map(|field| length(view, field)).sum()
}

#[inline(always)]
fn length(view: View<'_>, field: Field) -> u64 {
    let Some(text) = view.text(field) else { return 0 };
    let length = match text.encoding() {
        Encoding::Plain => text.raw().len(),
        _ => decoded_length(view, field),
    };
    length as u64
}

#[cold]
fn decoded_length(view: View<'_>, field: Field) -> usize {
    view.text(field).map_or(0, |text| text.to_bytes().len())
}
