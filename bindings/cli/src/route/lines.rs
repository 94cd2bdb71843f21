//! One line a message.

use std::io::{self, Write};

use nexowire_core::engine::{Delivered, Engine};
use nexowire_core::message::Message;
use nexowire_core::nexo::{Kind, View, WebhookField};

use crate::drive::MessageLine;
use crate::pretty::plain;

/// Details are cut behind this many letters: a line is for reading.
const DETAILS_LENGTH_MAX: usize = 160;

/// Time, queue, terminal, what happened, and its decoded details.
pub(super) fn write(out: &mut Vec<u8>, engine: &Engine, queue: &str, message: &Message) -> io::Result<()> {
    let view = message.view();
    let time = time_of_day(view.time_stamp().as_deref(), message.origin().received_at);
    let poi_id = view.poi_id().map(|text| text.to_str().into_owned()).unwrap_or_default();
    let details: String = plain(&details(view)).chars().take(DETAILS_LENGTH_MAX).collect();
    let summary = plain(&engine.summary(view));
    let line = format!("{:8}  {queue:9}  {:21}  {summary}  {details}", plain(&time), plain(&poi_id));
    writeln!(out, "{}", line.trim_end())
}

/// Hours, minutes and seconds as the message says, between its `T` and its fraction or zone; else of its arrival.
fn time_of_day(time_stamp: Option<&str>, received_at: u64) -> String {
    if let Some((_, time)) = time_stamp.and_then(|text| text.split_once(['T', ' '])) {
        return time.chars().take(8).collect();
    }
    let seconds = received_at / 1_000;
    format!("{:02}:{:02}:{:02}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}

/// The same as JSON: what `nexowire drive` answers to a poll.
pub(super) fn write_json(out: &mut Vec<u8>, engine: &Engine, queue: &str, delivered: &Delivered) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &MessageLine::new(engine, queue, delivered))?;
    out.write_all(b"\n")
}

fn details(view: View<'_>) -> String {
    let pairs = match view.fields().kind {
        Kind::Event => view.event_pairs().unwrap_or_default(),
        Kind::Display => [("tender", view.tender_reference()), ("psp", view.psp_reference())]
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect(),
        Kind::Response => response_details(view),
        Kind::StandardWebhook => {
            [("psp", WebhookField::PspReference), ("currency", WebhookField::Currency), ("value", WebhookField::Value)]
                .into_iter()
                .filter_map(|(key, field)| Some((key.to_owned(), view.webhook_text(field)?.to_str().into_owned())))
                .collect()
        }
        _ => vec![],
    };
    let pairs = pairs.into_iter().map(|(key, value)| format!("{key}={value}"));
    pairs.chain(view.fields().flags.words().map(|flag| format!("[{flag}]"))).collect::<Vec<_>>().join(" ")
}

/// Amount, PSP reference, and what AdditionalResponse says.
fn response_details(view: View<'_>) -> Vec<(String, String)> {
    let text =
        |key: &str, text: Option<nexowire_core::text::Text<'_>>| Some((key.to_owned(), text?.to_str().into_owned()));
    let fixed = [
        text("amount", view.amount()),
        text("currency", view.currency()),
        view.psp_reference().map(|psp| ("psp".to_owned(), psp)),
    ];
    let additional = view.repeated_additional_response().or_else(|| view.additional_response());
    let pairs = additional.as_ref().map(|additional| additional.pairs()).unwrap_or_default();
    let pairs = pairs.into_iter().map(|(key, value)| (key.into_owned(), value.into_owned()));
    fixed.into_iter().flatten().chain(pairs).collect()
}
