//! The dry run: what would become of a body, and why, with nothing changed.

use super::Engine;
use super::accept::{UnknownEndpoint, endpoint};
use super::inbound::Inbound;
use super::judge::{Judgement, generally, judge, judge_item};
use super::running::Running;
use super::subject::with_subject;
use crate::classify::Classified;
use crate::delivery::Verdict;
use crate::message::for_each_item;
use crate::nexo::{Fields, Kind, View};

/// What would become of a body. Room is not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explained {
    /// The word of the verdict.
    pub verdict: &'static str,
    /// The word of its reason.
    pub reason: Option<&'static str>,
    /// What would be routed.
    pub messages: Vec<ExplainedMessage>,
}

/// Where a message would go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExplainedMessage {
    /// What it is.
    pub kind: Kind,
    /// The rules that would take it, in order; none if it would go to the default queue.
    pub rules: Vec<String>,
    /// The queues that would get it, in the order in which the rules name them.
    pub queues: Vec<String>,
    /// What is odd about it.
    pub flags: Vec<&'static str>,
    /// The rules before those that did not fit, each with the first matcher that failed.
    pub missed: Vec<(String, &'static str)>,
}

impl Engine {
    /// Says what [`Engine::accept`] would do with a body, and which rules would take it; changes and counts nothing.
    ///
    /// # Errors
    /// When the configuration has no endpoint of the given name.
    pub fn explain(&self, inbound: &Inbound<'_>) -> Result<Explained, UnknownEndpoint> {
        let running = self.inner.running.load();
        let (index, endpoint) = endpoint(&running, inbound)?;
        let (body, limits) = (inbound.body.as_bytes(), running.configuration.limits());
        let word = |verdict: &'static str, reason| Explained { verdict, reason, messages: vec![] };
        let mut classified = Classified::default();
        Ok(match judge(inbound, endpoint, limits, &mut classified, generally(limits)) {
            Judgement::Answer(verdict) => word(verdict.word(), verdict.reason()),
            Judgement::Quarantine(reason) => word("quarantined", Some(reason.word())),
            Judgement::Message(fields) => {
                Explained { messages: vec![message(&running, body, fields, index)], ..word(ACCEPTED, None) }
            }
            Judgement::Items(fields) => {
                let (mut messages, mut bad) = (vec![], None);
                for_each_item(body, fields, |item| match (judge_item(item.as_ref(), body, endpoint), item) {
                    (None, Some(item)) => messages.push(message(&running, body, &item, index)),
                    (reason, _) => bad = bad.or(reason),
                });
                match bad {
                    Some(reason) if messages.is_empty() => word("quarantined", Some(reason.word())),
                    _ => Explained { messages, ..word(ACCEPTED, None) },
                }
            }
        })
    }
}

const ACCEPTED: &str = Verdict::Accepted { first_seq: 0, count: 0, stored: false }.word();

fn message(running: &Running, body: &[u8], fields: &Fields, endpoint: u16) -> ExplainedMessage {
    with_subject(View::new(body, fields), endpoint, |subject| {
        let explanation = running.table.explain(subject);
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        ExplainedMessage {
            kind: fields.kind,
            rules: owned(&explanation.rules),
            queues: owned(&explanation.queues),
            flags: fields.flags.words().collect(),
            missed: explanation.missed.iter().map(|miss| (miss.rule.to_owned(), miss.matcher)).collect(),
        }
    })
}
