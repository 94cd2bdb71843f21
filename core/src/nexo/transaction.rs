//! Who paid what: transaction ids and amounts of a body.

use super::Field;
use super::draft::{Draft, text};
use super::names::{Seen, canonical};
use crate::json::Walk;
use crate::span::Span;

/// `POIData.POITransactionID`: the terminal's id of the transaction, and its time stamp.
pub(crate) fn poi_data<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft) -> Result<(), W::Error> {
    let found = two_texts(cursor, draft, b"POITransactionID", [b"TransactionID", b"TimeStamp"])?;
    draft.fields.set(Field::PoiTransactionId, found[0]);
    draft.fields.set(Field::PoiTimeStamp, found[1]);
    Ok(())
}

/// `SaleData.SaleTransactionID`: the shop's id of the transaction.
pub(crate) fn sale_data<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft) -> Result<(), W::Error> {
    let found = two_texts(cursor, draft, b"SaleTransactionID", [b"TransactionID", b""])?;
    draft.fields.set(Field::SaleTransactionId, found[0]);
    Ok(())
}

/// The places where a body may have its amount, the first before the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum AmountPlace {
    Authorized,
    Reversed,
    Requested,
}

/// The amount of a body; as members come in any order, the place of the one that was taken is kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amount {
    place: Option<AmountPlace>,
    pub(crate) amount: Option<Span>,
    pub(crate) currency: Option<Span>,
}

impl Amount {
    /// `PaymentResult.AmountsResp`
    pub(crate) fn payment_result<'a, W: Walk<'a>>(
        &mut self,
        cursor: &mut W,
        draft: &mut Draft,
    ) -> Result<(), W::Error> {
        let found = two_texts(cursor, draft, b"AmountsResp", [b"AuthorizedAmount", b"Currency"])?;
        self.take(AmountPlace::Authorized, found);
        Ok(())
    }

    /// `PaymentTransaction.AmountsReq`
    pub(crate) fn payment_transaction<'a, W: Walk<'a>>(
        &mut self,
        cursor: &mut W,
        draft: &mut Draft,
    ) -> Result<(), W::Error> {
        let found = two_texts(cursor, draft, b"AmountsReq", [b"RequestedAmount", b"Currency"])?;
        self.take(AmountPlace::Requested, found);
        Ok(())
    }

    /// `ReversedAmount`, which has no currency.
    pub(crate) fn reversed_amount<'a, W: Walk<'a>>(&mut self, cursor: &mut W) -> Result<(), W::Error> {
        let amount = text(cursor)?;
        self.take(AmountPlace::Reversed, [amount, None]);
        Ok(())
    }

    fn take(&mut self, place: AmountPlace, [amount, currency]: [Option<Span>; 2]) {
        if amount.is_some() && self.place.is_none_or(|taken| place < taken) {
            *self = Self { place: Some(place), amount, currency };
        }
    }
}

/// Passes an object and gives two texts of its member `inner`.
fn two_texts<'a, W: Walk<'a>>(
    cursor: &mut W,
    draft: &mut Draft,
    inner: &[u8],
    wanted: [&[u8]; 2],
) -> Result<[Option<Span>; 2], W::Error> {
    let (mut outer_seen, mut found) = (Seen::default(), [None; 2]);
    cursor.object(|cursor, name| {
        if canonical(name) != inner || !outer_seen.first(0, draft.flags()) {
            return cursor.skip();
        }
        let mut seen = Seen::default();
        cursor
            .object(|cursor, name| {
                let name = canonical(name);
                match wanted.iter().position(|wanted| !wanted.is_empty() && *wanted == name) {
                    Some(at) if seen.first(at as u32, draft.flags()) => found[at] = text(cursor)?,
                    _ => cursor.skip()?,
                }
                Ok(())
            })
            .map(drop)
    })?;
    Ok(found)
}
