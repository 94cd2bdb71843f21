//! What a body deserves, before anything is shared with others: the order is that of `drive.md`, "Which one".

use super::inbound::{Inbound, Source};
use super::subject::with_bytes;
use crate::classify::{Classified, classify, is_soap};
use crate::delivery::{IgnoredReason, QuarantineReason, ReplyOutcome, Verdict};
use crate::limits::Limits;
use crate::nexo::{Fields, Kind, View, WebhookField};
use crate::route::Endpoint;

/// What is to be done with a body, whose fields stand where it was read: they are large, and not moved about.
pub(super) enum Judgement<'f> {
    /// Nothing but to answer.
    Answer(Verdict),
    /// Kept whole from the queues.
    Quarantine(QuarantineReason),
    /// One message for the queues.
    Message(&'f mut Fields),
    /// A webhook, each of whose items is judged for itself.
    Items(&'f Fields),
}

/// Judges a body by itself, as `read` classifies it into `classified`; nothing is counted or kept.
#[inline]
pub(super) fn judge<'f>(
    inbound: &Inbound<'_>,
    endpoint: &Endpoint,
    limits: &Limits,
    classified: &'f mut Classified,
    read: impl FnOnce(&[u8], &mut Classified),
) -> Judgement<'f> {
    let body = inbound.body.as_bytes();
    if inbound.source == Source::Reply {
        return Judgement::Answer(Verdict::Reply(judge_reply(body, limits)));
    }
    if body.len() > limits.body as usize {
        return Judgement::Answer(Verdict::TooLarge);
    }
    if !inbound.is_plain() {
        return Judgement::Answer(Verdict::Encoded);
    }
    read(body, classified);
    let fields = &mut classified.fields;
    if let Some(reason) = kept_from_queues(fields, body) {
        return Judgement::Quarantine(reason);
    }
    match fields.kind {
        Kind::Acknowledgement => Judgement::Answer(Verdict::Ignored { reason: IgnoredReason::Acknowledgement }),
        Kind::StandardWebhook if fields.items == 0 => {
            Judgement::Answer(Verdict::Ignored { reason: IgnoredReason::NoItems })
        }
        Kind::StandardWebhook if fields.items > limits.items => Judgement::Quarantine(QuarantineReason::TooManyItems),
        Kind::StandardWebhook => Judgement::Items(fields),
        _ => judge_message(fields, body, endpoint),
    }
}

/// Reads by the general walk, for those who do not want to learn.
pub(super) fn generally(limits: &Limits) -> impl Fn(&[u8], &mut Classified) {
    |body, classified| *classified = classify(body, limits)
}

/// No request of the host's own is known here, so that nobody waits for its answer.
fn judge_reply(body: &[u8], limits: &Limits) -> ReplyOutcome {
    let over_limit = classify(body, limits).error.is_some_and(|error| error.is_over_limit());
    if over_limit { ReplyOutcome::Failed } else { ReplyOutcome::Unknown }
}

#[inline]
fn judge_message<'f>(fields: &'f mut Fields, body: &[u8], endpoint: &Endpoint) -> Judgement<'f> {
    let view = View::new(body, fields);
    if endpoint.third_party && fields.kind == Kind::Request && !is_for_third_parties(view) {
        return Judgement::Answer(Verdict::NotAllowed);
    }
    if endpoint.speaks_for_all() || is_in_scope(view, endpoint) {
        return Judgement::Message(fields);
    }
    Judgement::Quarantine(QuarantineReason::OutOfScope)
}

fn is_in_scope(view: View<'_>, endpoint: &Endpoint) -> bool {
    with_bytes(view.sale_id(), |sale_id| with_bytes(view.poi_id(), |poi_id| endpoint.speaks_for(None, sale_id, poi_id)))
}

/// Why one item of a webhook is bad, if it is.
pub(super) fn judge_item(item: Option<&Fields>, body: &[u8], endpoint: &Endpoint) -> Option<QuarantineReason> {
    let Some(fields) = item else { return Some(QuarantineReason::Malformed) };
    let view = View::new(body, fields);
    let [account, terminal] = [WebhookField::MerchantAccountCode, WebhookField::TerminalId];
    let in_scope = with_bytes(view.webhook_text(account), |account| {
        with_bytes(view.webhook_text(terminal), |terminal| endpoint.speaks_for(account, None, terminal))
    });
    (!in_scope).then_some(QuarantineReason::OutOfScope)
}

#[inline]
fn kept_from_queues(fields: &Fields, body: &[u8]) -> Option<QuarantineReason> {
    match (fields.kind, fields.flags.ambiguity()) {
        (Kind::Malformed, _) if is_soap(body) => Some(QuarantineReason::Soap),
        (Kind::Malformed, _) => Some(QuarantineReason::Malformed),
        (Kind::Foreign, _) => Some(QuarantineReason::Foreign),
        (Kind::ErrorBody, _) => Some(QuarantineReason::ErrorBody),
        (_, Some("repeated_member")) => Some(QuarantineReason::RepeatedMember),
        (_, Some("both_envelopes")) => Some(QuarantineReason::BothEnvelopes),
        (_, Some(_)) => Some(QuarantineReason::TwoBodies),
        (_, None) => None,
    }
}

/// Third parties may ask customers and show them something, and no more.
fn is_for_third_parties(view: View<'_>) -> bool {
    view.body_member().is_some_and(|name| name.equals(b"InputRequest") || name.equals(b"DisplayRequest"))
}
