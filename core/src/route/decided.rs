//! Kinds of which the queues are known, whatever else a message says.

use super::configuration::Rule;
use super::matcher::Matcher;
use crate::nexo::Kind;

/// What becomes of the messages of each kind, so far as that is known beforehand. By the number of the kind.
#[derive(Clone, Debug)]
pub(super) struct Decided([Decision; Kind::ALL.len() + 1]);

/// What becomes of the messages of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Decision {
    /// That depends on what else they say.
    #[default]
    Open,
    /// They go where this rule says: it takes all of them, and no rule before it any.
    Rule(u32),
    /// No rule takes any.
    Default,
}

impl Decided {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut decided = Self(Default::default());
        for kind in Kind::ALL {
            decided.0[kind as usize] = decide(rules, kind);
        }
        decided
    }

    #[inline]
    pub(super) fn of(&self, kind: Kind) -> Decision {
        self.0[kind as usize]
    }
}

fn decide(rules: &[Rule], kind: Kind) -> Decision {
    let asks_kind = |matcher: &Matcher| matches!(matcher, Matcher::Kind(_));
    let may_fit = |rule: &Rule| {
        rule.matchers.iter().all(|matcher| match matcher {
            Matcher::Kind(kinds) => kinds.contains(&kind),
            _ => true,
        })
    };
    match rules.iter().position(may_fit) {
        None => Decision::Default,
        Some(first) if !rules[first].goes_on && rules[first].matchers.iter().all(asks_kind) => {
            Decision::Rule(first as u32)
        }
        Some(_) => Decision::Open,
    }
}
