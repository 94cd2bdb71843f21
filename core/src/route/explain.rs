//! The dry run: which rules took a message, and why the others did not.

use std::fmt;

use super::subject::Subject;
use super::table::Table;

/// Why a message goes where it goes.
///
/// ```
/// use nexowire_core::nexo::Kind;
/// use nexowire_core::route::{Configuration, Subject, Table};
///
/// let table = Table::compile(&Configuration::embedded());
/// let explanation = table.explain(&Subject::new(Kind::Event));
/// assert_eq!(explanation.rules, ["terminals"]);
/// assert_eq!(explanation.queues, ["terminals"]);
/// assert_eq!(explanation.missed[0].to_string(), "payments: kind does not fit");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation<'t> {
    /// The names of the rules that took it, in order; none if it goes to the default queue.
    pub rules: Vec<&'t str>,
    /// The names of its queues, in the order of the rules, each once.
    pub queues: Vec<&'t str>,
    /// The rules that were tried and did not fit, in order.
    pub missed: Vec<Miss<'t>>,
}

/// A rule that did not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Miss<'t> {
    /// The rule's name.
    pub rule: &'t str,
    /// The first of its members that did not fit, as the configuration spells it.
    pub matcher: &'static str,
}

impl fmt::Display for Miss<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} does not fit", self.rule, self.matcher)
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for miss in &self.missed {
            writeln!(f, "{miss}")?;
        }
        for rule in &self.rules {
            writeln!(f, "{rule}: fits")?;
        }
        if self.rules.is_empty() {
            writeln!(f, "no rule fits")?;
        }
        write!(f, "to {}", self.queues.join(", "))
    }
}

impl Table {
    /// Tries every rule in turn, as the documents say it, and says what came of each.
    ///
    /// Takes time in proportion to the number of rules; [`route`](Self::route) gives the same queues at once.
    pub fn explain(&self, subject: &Subject<'_>) -> Explanation<'_> {
        let mut explanation = Explanation { rules: Vec::new(), queues: Vec::new(), missed: Vec::new() };
        for rule in &self.rules {
            if let Some(matcher) = rule.matchers.iter().find(|matcher| !matcher.fits(subject)) {
                explanation.missed.push(Miss { rule: &rule.name, matcher: matcher.name() });
                continue;
            }
            explanation.rules.push(&rule.name);
            for &queue in &rule.queues {
                let name = self.queue_names[usize::from(queue)].as_str();
                if !explanation.queues.contains(&name) {
                    explanation.queues.push(name);
                }
            }
            if !rule.goes_on {
                break;
            }
        }
        if explanation.rules.is_empty() {
            explanation.queues.push(&self.queue_names[usize::from(self.default_queue())]);
        }
        explanation
    }
}
