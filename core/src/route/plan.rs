//! Chooses for each rule the members under which the index holds it.
//!
//! A rule is found by one member if few rules share its values there, else by as many as it takes: 10,000 rules for 400
//! shops and 25 event codes are found by shop and event code together. Every choice is right, since what the index
//! finds is compared in full; a good choice is fast.

use std::collections::{BTreeSet, HashMap};

use super::configuration::Rule;
use super::key::{self, Shape, TEXT_MEMBERS, Value};
use super::matcher::Matcher;

/// Rules that may share a key before another member is taken in.
const SHARED_MAX: u32 = 4;

/// Keys that one rule may have for the sake of a further member.
const COMBINATIONS_MAX: usize = 64;

/// Shapes of more than one member; each costs every message a look-up.
const SHAPES_MAX: usize = 16;

/// Lengths of prefixes that are looked up in one member; each costs a look-up too. Prefixes of other lengths are found
/// by their beginning.
const PREFIX_LENS_MAX: usize = 16;

/// A key, and the rule that is found by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) shape: Shape,
    pub(super) key: u64,
    pub(super) rule: u32,
}

/// The entries of the rules for which `wanted` holds.
pub(super) fn entries(rules: &[Rule], wanted: impl Fn(&Rule) -> bool) -> Vec<Entry> {
    let lens = prefix_lens(rules);
    let mut plans: Vec<Plan> = rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| wanted(rule))
        .map(|(number, rule)| Plan::new(number as u32, rule, &lens))
        .collect();
    rank(&mut plans);
    refine(&mut plans);
    bound_shapes(&mut plans);
    let mut entries: Vec<Entry> = Vec::new();
    for plan in &plans {
        plan.keys(|shape, key| entries.push(Entry { shape, key, rule: plan.rule }));
    }
    entries
}

/// The members of one rule, and how many of them its keys are made of.
struct Plan {
    rule: u32,
    /// The best first.
    members: Vec<MemberValues>,
    used: usize,
}

struct MemberValues {
    member: u8,
    values: Vec<Value>,
    /// Rules that share the value that most rules share.
    shared: u32,
}

impl Plan {
    fn new(rule: u32, source: &Rule, lens: &[Vec<u16>; 3]) -> Self {
        let values = source.matchers.iter().filter_map(|matcher| key::values(matcher, lens));
        let members = values.map(|(member, values)| MemberValues { member, values, shared: 0 }).collect();
        Self { rule, members, used: 0 }
    }

    /// All keys of the rule; one that accepts everything has the key of no members.
    fn keys(&self, mut each: impl FnMut(Shape, u64)) {
        let mut used: Vec<&MemberValues> = self.members[..self.used].iter().collect();
        used.sort_unstable_by_key(|member| member.member);
        let mut partial = vec![(Shape::default(), 0)];
        for MemberValues { member, values, .. } in used {
            partial = partial
                .iter()
                .flat_map(|&(shape, key)| {
                    values
                        .iter()
                        .map(move |value| (shape.with(*member, value.prefix_len), key::extend(key, value.token)))
                })
                .collect();
        }
        for (shape, key) in partial {
            each(shape, key::finish(key, shape));
        }
    }

    /// Whether another member may be taken in.
    fn can_grow(&self) -> bool {
        let combinations = |members: &[MemberValues]| {
            members.iter().fold(1_usize, |product, member| product.saturating_mul(member.values.len()))
        };
        self.used < self.members.len() && combinations(&self.members[..=self.used]) <= COMBINATIONS_MAX
    }
}

/// Sorts each rule's members, those first whose values few rules share, and begins with the first.
fn rank(plans: &mut [Plan]) {
    let mut counts: HashMap<(u8, Value), u32> = HashMap::new();
    for member in plans.iter().flat_map(|plan| &plan.members) {
        for &value in &member.values {
            *counts.entry((member.member, value)).or_default() += 1;
        }
    }
    for plan in plans {
        for member in &mut plan.members {
            let shared = member.values.iter().map(|&value| counts[&(member.member, value)]);
            member.shared = shared.max().unwrap_or(0);
        }
        plan.members.sort_by_key(|member| (member.shared, member.member));
        plan.used = plan.members.len().min(1);
    }
}

/// Takes members in until few rules share a key, or nothing more can be taken in.
fn refine(plans: &mut [Plan]) {
    let mut open: Vec<usize> = (0..plans.len()).collect();
    while !open.is_empty() {
        let mut counts: HashMap<u64, u32> = HashMap::new();
        for &at in &open {
            plans[at].keys(|_, key| *counts.entry(key).or_default() += 1);
        }
        open.retain(|&at| {
            let plan = &mut plans[at];
            let mut shared = 0;
            plan.keys(|_, key| shared = shared.max(counts[&key]));
            let grows = shared > SHARED_MAX && plan.can_grow();
            plan.used += usize::from(grows);
            grows
        });
    }
}

/// Keeps the shapes that most keys have; the rules of the others are found by one member.
fn bound_shapes(plans: &mut [Plan]) {
    let mut counts: HashMap<Shape, u32> = HashMap::new();
    for plan in plans.iter().filter(|plan| plan.used > 1) {
        plan.keys(|shape, _| *counts.entry(shape).or_default() += 1);
    }
    if counts.len() <= SHAPES_MAX {
        return;
    }
    let mut by_count: Vec<(Shape, u32)> = counts.into_iter().collect();
    by_count.sort_unstable_by_key(|&(shape, count)| (std::cmp::Reverse(count), shape));
    let kept: BTreeSet<Shape> = by_count.into_iter().take(SHAPES_MAX).map(|(shape, _)| shape).collect();
    for plan in plans.iter_mut().filter(|plan| plan.used > 1) {
        let mut all_kept = true;
        plan.keys(|shape, _| all_kept &= kept.contains(&shape));
        if !all_kept {
            plan.used = 1;
        }
    }
}

/// For each member that holds texts, the lengths of prefixes that are looked up, ascending.
fn prefix_lens(rules: &[Rule]) -> [Vec<u16>; 3] {
    TEXT_MEMBERS.map(|wanted| {
        let mut lens = BTreeSet::new();
        for matcher in rules.iter().flat_map(|rule| &rule.matchers) {
            if let Matcher::Text(member, patterns) = matcher
                && *member == wanted
            {
                // An empty prefix fits every text, so it is no help in finding one.
                let all = patterns.prefixes().iter().map(|prefix| prefix.len()).filter(|&len| len > 0);
                lens.extend(all.map(|len| u16::try_from(len).unwrap_or(u16::MAX)));
            }
        }
        let lens: Vec<u16> = lens.into_iter().collect();
        if lens.len() <= PREFIX_LENS_MAX {
            return lens;
        }
        // Evenly chosen, the shortest among them, so that every prefix has one that is not longer than itself.
        (0..PREFIX_LENS_MAX).map(|i| lens[i * lens.len() / PREFIX_LENS_MAX]).collect()
    })
}
