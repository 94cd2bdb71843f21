//! Messages to try: a base message and a seed always make the same mutated message.
//!
//! Most mutations edit the tree and print it again in a random spelling, so that most results are valid and reach the
//! rules behind the parser; the others damage bytes, so that the parser itself is tried.

use super::json::{self, LIMITS, Value};
use super::print::{Spelling, print};
use super::{bases, interesting};

/// SplitMix64: small, seeded by any number, the same everywhere. Source: Steele, Lea, Flood, OOPSLA 2014.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0. The slight bias of a remainder does no harm here.
    pub fn below(&mut self, end: usize) -> usize {
        // OK because the remainder is below a usize.
        usize::try_from(self.next() % end as u64).expect("small")
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// One case of a long run: some base message, mutated.
pub fn case(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let (_, base) = random.pick(bases::BASES);
    mutate(random.next(), base.as_bytes())
}

/// The base message as this seed changes it.
pub fn mutate(seed: u64, base: &[u8]) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut text = match json::parse(base, &LIMITS) {
        Ok(mut tree) if random.percent(92) => {
            // Few edits, mostly: each more makes it likelier that an earlier one hides.
            for _ in 0..random.pick(&[0, 1, 1, 1, 2, 2, 3, 5, 12]) {
                edit(&mut tree, &mut random);
            }
            let spelling = Spelling::random(&mut random);
            print(&tree, spelling, &mut random)
        }
        _ => base.to_vec(),
    };
    if random.percent(18) || text == base {
        for _ in 0..=random.below(3) {
            damage(&mut text, &mut random);
        }
    }
    if random.below(4_096) == 0 {
        text = beyond_a_limit(&text, &mut random);
    }
    text
}

/// One change of the tree.
fn edit(tree: &mut Value, random: &mut Random) {
    match random.below(16) {
        0 => envelopes(tree, random),
        1 => {
            let value = at_random(tree, random, |_| true);
            *value = interesting::nested(value.clone(), random);
        }
        2..=3 => {
            // A piece of the message turns up somewhere else.
            let piece = at_random(tree, random, |_| true).clone();
            *at_random(tree, random, |_| true) = piece;
        }
        4..=6 => *at_random(tree, random, |value| !matches!(value, Value::Object(_))) = interesting::value(random),
        7 => *at_random(tree, random, |_| true) = interesting::value(random),
        8 => edit_array(at_random(tree, random, |value| matches!(value, Value::Array(_))), random),
        _ => edit_object(at_random(tree, random, Value::is_object), random),
    }
}

/// One change of the members of an object; what is no object becomes one with the old value as a member.
fn edit_object(value: &mut Value, random: &mut Random) {
    if !value.is_object() {
        *value = Value::Object(vec![(interesting::name(random), value.clone())]);
    }
    let Value::Object(members) = value else { return };
    let (from, to) = (random.below(members.len() + 1), random.below(members.len() + 1));
    match random.below(8) {
        0 => members.insert(from, (interesting::name(random), interesting::value(random))),
        _ if from == members.len() => members.push((interesting::name(random), interesting::value(random))),
        1 => drop(members.remove(from)),
        2 => members.swap(from, to.min(from)),
        3 => members[from].0 = interesting::name(random),
        4 => members[from].1 = interesting::value(random),
        5 => members.insert(to, members[from].clone()),
        6 => members.insert(to, (members[from].0.clone(), interesting::value(random))),
        _ => {
            // The same name twice in different spellings is the printer's part; here it is another member's name.
            members[from].0 = members[to.min(from)].0.clone();
        }
    }
}

/// One change of the elements of an array; what is no array becomes one with the old value in it.
fn edit_array(value: &mut Value, random: &mut Random) {
    if !matches!(value, Value::Array(_)) {
        *value = Value::Array(vec![value.clone()]);
    }
    let Value::Array(items) = value else { return };
    let at = random.below(items.len() + 1);
    match random.below(5) {
        0 if at < items.len() => drop(items.remove(at)),
        1 if at < items.len() => items.insert(at, items[at].clone()),
        2 if at < items.len() => *value = items[at].clone(),
        3 => items.reverse(),
        _ => items.insert(at, interesting::value(random)),
    }
}

/// Envelopes twice: one name with two values, the other name, another message's envelope, a scalar in front.
fn envelopes(tree: &mut Value, random: &mut Random) {
    const NAMES: [&str; 2] = ["SaleToPOIRequest", "SaleToPOIResponse"];
    let name = random.pick(&NAMES).to_owned();
    let other = json::parse(random.pick(bases::BASES).1.as_bytes(), &LIMITS);
    let donor = other.ok().and_then(|other| other.members().first().map(|(_, value)| value.clone()));
    let own = tree.members().first().map(|(_, value)| value.clone());
    let value = match random.below(3) {
        0 => donor,
        1 => own,
        _ => None,
    };
    if let Value::Object(members) = tree {
        let at = random.below(members.len() + 1);
        members.insert(at, (name, value.unwrap_or_else(|| interesting::value(random))));
    }
}

/// Some value of the tree for which this holds; the root if there is none.
fn at_random<'a>(tree: &'a mut Value, random: &mut Random, fits: fn(&Value) -> bool) -> &'a mut Value {
    let count = count(tree, fits);
    if count == 0 {
        return tree;
    }
    let mut left = random.below(count);
    // OK because there are `count` of them and `left` is below it.
    nth(tree, &mut left, fits).expect("counted")
}

fn count(value: &Value, fits: fn(&Value) -> bool) -> usize {
    let inner: usize = match value {
        Value::Array(items) => items.iter().map(|item| count(item, fits)).sum(),
        Value::Object(members) => members.iter().map(|(_, value)| count(value, fits)).sum(),
        _ => 0,
    };
    inner + usize::from(fits(value))
}

fn nth<'a>(value: &'a mut Value, left: &mut usize, fits: fn(&Value) -> bool) -> Option<&'a mut Value> {
    if fits(value) {
        if *left == 0 {
            return Some(value);
        }
        *left -= 1;
    }
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, left, fits)),
        Value::Object(members) => members.iter_mut().find_map(|(_, value)| nth(value, left, fits)),
        _ => None,
    }
}

/// One change of bytes, whatever they mean.
fn damage(text: &mut Vec<u8>, random: &mut Random) {
    let (at, end) = (random.below(text.len() + 1), random.below(text.len() + 1));
    match random.below(9) {
        0 if at < text.len() => text[at] ^= 1 << random.below(8),
        1 if at < text.len() => text[at] = random.next().to_le_bytes()[0],
        2 if at < text.len() => drop(text.remove(at)),
        3 => text.truncate(at),
        4 => {
            let piece = text[at.min(end)..at.max(end)].to_vec();
            text.splice(at..at, piece);
        }
        5 => drop(text.drain(at.min(end)..at.max(end).min(at.min(end) + 9))),
        6 if at < text.len() => {
            let piece: &[u8] = random.pick(interesting::BYTES);
            let end = text.len().min(at + piece.len());
            text.splice(at..end, piece.iter().copied());
        }
        7 => drop(text.splice(0..0, random.pick(interesting::BYTES).iter().copied())),
        _ => drop(text.splice(at..at, random.pick(interesting::BYTES).iter().copied())),
    }
}

/// The message with as many bytes or members as a limit allows, or some more.
fn beyond_a_limit(text: &[u8], random: &mut Random) -> Vec<u8> {
    let Some((b'{', inside)) = text.split_first() else {
        let mut long = text.to_vec();
        long.resize(text.len().max(LIMITS.body - 1 + random.below(3)), b' ');
        return long;
    };
    if random.percent(50) {
        let mut long = b"{".to_vec();
        long.resize((LIMITS.body - 1 + random.below(3)).saturating_sub(inside.len()).max(1), b' ');
        long.extend(inside);
        return long;
    }
    let mut many = br#"{"Extra":{"":{}"#.to_vec();
    many.extend(br#","":0"#.repeat(LIMITS.members - 100 + random.below(110)));
    many.extend(b"},");
    many.extend(inside);
    many
}
