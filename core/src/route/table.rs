//! Rules compiled into a table that finds a message's queues in a time that hardly knows how many rules there are.

use super::checks::Checks;
use super::configuration::{Configuration, Rule};
use super::decided::{Decided, Decision};
use super::index::Index;
use super::key::{TEXT_MEMBERS, Tokens};
use super::matcher::Matcher;
use super::plan;
use super::subject::Subject;
use crate::limits::Limits;
use crate::nexo::Kind;

/// A compiled configuration. Never changes; routing with it allocates nothing.
///
/// ```
/// use nexowire_core::nexo::Kind;
/// use nexowire_core::route::{Configuration, NoResolver, Subject, Table};
///
/// let configuration = Configuration::parse(
///     r#"
///     default_queue = "other"
///     [[queue]]
///     name = "other"
///     [[queue]]
///     name = "berlin"
///     [[rule]]
///     queue = "berlin"
///     poiid = "V400m-*"
///     "#,
///     &NoResolver,
/// )?;
/// let table = Table::compile(&configuration);
/// let subject = Subject { poiid: Some(b"V400m-324688179"), ..Subject::new(Kind::Event) };
/// assert!(table.route(&subject).iter().eq([1]));
/// assert!(table.route(&Subject::new(Kind::Event)).iter().eq([0]));
/// # Ok::<(), nexowire_core::route::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    /// As they were configured, for `explain`.
    pub(super) rules: Vec<Rule>,
    pub(super) queue_names: Vec<String>,
    default_queue: [u16; 1],
    checks: Checks,
    decided: Decided,
    /// Rules that end the search.
    ending: Index,
    /// Rules that say `continue`.
    going_on: Index,
    /// Lengths of the longest texts that rules name in full.
    text_lens_max: [usize; 3],
}

impl Table {
    /// Compiles a configuration.
    pub fn compile(configuration: &Configuration) -> Self {
        let rules = configuration.rules.clone();
        Self {
            queue_names: configuration.queues.iter().map(|queue| queue.name.clone()).collect(),
            default_queue: [configuration.default_queue],
            checks: Checks::new(&rules),
            decided: Decided::new(&rules),
            ending: Index::new(plan::entries(&rules, |rule| !rule.goes_on)),
            going_on: Index::new(plan::entries(&rules, |rule| rule.goes_on)),
            text_lens_max: text_lens_max(&rules),
            rules,
        }
    }

    /// The queues of a message, never none: of the first rule that fits and of those before it that say `continue`,
    /// else the default queue.
    #[inline]
    pub fn route(&self, subject: &Subject<'_>) -> Targets<'_> {
        let mut tokens = Tokens::new(subject, &self.text_lens_max);
        let ending = self.ending.first(&mut tokens, |rule| self.checks.fit(rule, subject));
        if !self.going_on.is_empty()
            && let Some(queues) = self.queues_on_the_way(subject, &mut tokens, ending)
        {
            return queues;
        }
        Targets(Queues::List(match ending {
            Some(rule) => self.checks.queues(rule),
            None => &self.default_queue,
        }))
    }

    /// The queues of every message of this kind, if its kind alone decides: then nothing need be asked about it.
    ///
    /// ```
    /// use nexowire_core::nexo::Kind;
    /// use nexowire_core::route::{Configuration, Subject, Table};
    ///
    /// // Of the embedded rules none asks for more than the kind.
    /// let table = Table::compile(&Configuration::embedded());
    /// let targets = table.route_kind(Kind::Display).unwrap();
    /// assert!(targets.iter().eq(table.route(&Subject::new(Kind::Display)).iter()));
    /// ```
    #[inline]
    pub fn route_kind(&self, kind: Kind) -> Option<Targets<'_>> {
        Some(Targets(Queues::List(match self.decided.of(kind) {
            Decision::Open => return None,
            Decision::Rule(rule) => self.checks.queues(rule),
            Decision::Default => &self.default_queue,
        })))
    }

    /// The queues of the rules that say `continue` and of the one that ends the search; `None` if none says so.
    fn queues_on_the_way(
        &self,
        subject: &Subject<'_>,
        tokens: &mut Tokens<'_, '_>,
        ending: Option<u32>,
    ) -> Option<Targets<'_>> {
        let mut set = [0_u64; SET_WORDS];
        let mut add = |rule: u32| {
            for &queue in self.checks.queues(rule) {
                set[usize::from(queue) / 64] |= 1 << (queue % 64);
            }
        };
        let mut any = false;
        self.going_on.each(tokens, ending.unwrap_or(u32::MAX), |rule| {
            if self.checks.fit(rule, subject) {
                any = true;
                add(rule);
            }
        });
        if !any {
            return None;
        }
        if let Some(rule) = ending {
            add(rule);
        }
        Some(Targets(Queues::Set(set)))
    }

    /// The queue of messages that no rule fits.
    pub(super) fn default_queue(&self) -> u16 {
        self.default_queue[0]
    }

    #[cfg(test)]
    pub(super) fn indexes(&self) -> [&Index; 2] {
        [&self.ending, &self.going_on]
    }
}

/// The queues of a message: indexes into [`Configuration::queues`], each once, at least one.
///
/// ```
/// use nexowire_core::nexo::Kind;
/// use nexowire_core::route::{Configuration, Subject, Table};
///
/// let table = Table::compile(&Configuration::embedded());
/// let targets = table.route(&Subject::new(Kind::Display));
/// assert_eq!(targets.iter().collect::<Vec<_>>(), [2]);
/// assert_eq!(targets.len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Targets<'t>(Queues<'t>);

#[derive(Clone, Debug)]
enum Queues<'t> {
    /// Of one rule, or the default queue: as the table holds them.
    List(&'t [u16]),
    /// Of several rules: a bit for each queue.
    Set([u64; SET_WORDS]),
}

const SET_WORDS: usize = (Limits::MAX.queues as usize).div_ceil(64);

impl Targets<'_> {
    /// The indexes: of one rule in its order, of several rules in ascending order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        let (list, set) = match &self.0 {
            Queues::List(list) => (*list, &[][..]),
            Queues::Set(set) => (&[][..], &set[..]),
        };
        let (mut words, mut bits, mut end) = (set.iter(), 0_u64, 0_u16);
        list.iter().copied().chain(std::iter::from_fn(move || {
            while bits == 0 {
                bits = *words.next()?;
                end += 64;
            }
            let bit = bits.trailing_zeros() as u16;
            bits &= bits - 1;
            Some(end - 64 + bit)
        }))
    }

    /// How many there are, at least one.
    #[inline]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        match &self.0 {
            Queues::List(list) => list.len(),
            Queues::Set(set) => set.iter().map(|word| word.count_ones() as usize).sum(),
        }
    }
}

fn text_lens_max(rules: &[Rule]) -> [usize; 3] {
    let mut lens = [0; 3];
    for matcher in rules.iter().flat_map(|rule| &rule.matchers) {
        if let Matcher::Text(member, patterns) = matcher {
            let longest = patterns.exact().map(<[u8]>::len).max().unwrap_or(0);
            let len = &mut lens[*member as usize];
            *len = longest.max(*len);
        }
    }
    lens
}

// The place of a member in lists of three is its number.
const _: () = assert!(TEXT_MEMBERS[0] as usize == 0 && TEXT_MEMBERS[1] as usize == 1 && TEXT_MEMBERS[2] as usize == 2);
