//! Duplicates: which keys are live, exactly, in memory. Source: `delivery.md`, 1.3; design, section 10.
//!
//! | question | answered by |
//! |---|---|
//! | what was accepted, in order | a [`Ring`] of rows a window |
//! | where is the row of this key, or of this variant of it | an [`Index`] a window |
//!
//! A key lives from its first acceptance to the end of its window, whether its memory is free by then or not. Its
//! variants live and die with it: their rows name the key's row, and mean nothing without it.

mod index;
mod ring;
mod segment;

use self::index::Index;
use self::ring::{Ring, Row};
use super::key_row::{KeyRow, Window};

/// Rows that one message makes room for at most. More than the one it needs, so that what is over goes some time.
const MAKE_ROOM_MAX: u32 = 4;

/// Rows that one `advance` frees at most: about a millisecond.
const ADVANCE_MAX: u32 = 4_096;

/// What is remembered, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DedupeOptions {
    /// Milliseconds; 0: nothing.
    pub(crate) terminal_ms: u64,
    /// Milliseconds; 0: nothing.
    pub(crate) webhook_ms: u64,
    /// Rows of both windows together, variants included.
    pub(crate) keys_max: u32,
}

/// What makes two messages the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) window: Window,
    /// Keyed, so that nobody outside can choose two that are alike.
    pub(crate) hash: u128,
}

/// Whether a message was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// No: the key is not live.
    New,
    /// The key is live, and this variant of it is new: an update, or a conflict.
    Variant,
    /// Yes, as this one.
    Duplicate { seq: u64 },
}

/// Every live key of both windows. Its caller keeps it to itself, or locks it.
pub(crate) struct Dedupe {
    sides: [Side; 2],
    keys_max: u32,
    left: u64,
}

/// One window.
struct Side {
    window_ms: u64,
    rows: Ring,
    index: Index,
    /// One more than the last number that was here.
    next_seq: u64,
    /// When the youngest key was accepted that had to make room.
    left_at: Option<u64>,
}

impl Dedupe {
    pub(crate) fn new(options: DedupeOptions) -> Self {
        let side = |window_ms| Side { window_ms, rows: Ring::new(), index: Index::new(), next_seq: 0, left_at: None };
        Self { sides: [side(options.terminal_ms), side(options.webhook_ms)], keys_max: options.keys_max, left: 0 }
    }

    /// Other windows and another size, from now on: what is over them goes as messages come and time passes.
    pub(crate) fn set_options(&mut self, options: DedupeOptions) {
        self.sides[0].window_ms = options.terminal_ms;
        self.sides[1].window_ms = options.webhook_ms;
        self.keys_max = options.keys_max;
    }

    /// Whether the message was there before. A key that is over its window is new, freed or not.
    pub(crate) fn look(&self, key: &Key, digest: u64, now: u64) -> Seen {
        let side = &self.sides[key.window as usize];
        let Some((position, row)) = side.live(key.hash, now) else { return Seen::New };
        if row.digest() == digest {
            return Seen::Duplicate { seq: row.seq() };
        }
        side.variant(key.hash, digest, position).map_or(Seen::Variant, |seq| Seen::Duplicate { seq })
    }

    /// The row that `learn` would make: what the store is to keep of a message before it goes live.
    pub(crate) fn row(&self, key: &Key, digest: u64, seq: u64, now: u64) -> KeyRow {
        let live = self.sides[key.window as usize].live(key.hash, now);
        KeyRow { hash: key.hash, digest, first_at: live.map_or(now, |(_, row)| row.first_at()), seq }
    }

    /// Remembers an accepted message, which `look` has called new or a variant. A variant keeps its key's `first_at`.
    ///
    /// Numbers rise from call to call; so does `now`.
    pub(crate) fn learn(&mut self, key: &Key, digest: u64, seq: u64, now: u64) -> KeyRow {
        self.make_room(key.window, now);
        let row = self.row(key, digest, seq, now);
        self.sides[key.window as usize].enter(&row, now);
        row
    }

    /// Remembers a row as it was stored: at an opening, or when a commit makes it live. In the order of the numbers.
    ///
    /// A time beyond `now`, of a clock that was ahead, counts as `now`: otherwise the key would outlive its window.
    pub(crate) fn restore(&mut self, window: Window, row: KeyRow, now: u64) {
        let row = KeyRow { first_at: row.first_at.min(now), ..row };
        let side = &mut self.sides[window as usize];
        side.next_seq = side.next_seq.max(row.seq.saturating_add(1));
        if side.is_over(row.first_at, now) {
            return;
        }
        self.make_room(window, now);
        self.sides[window as usize].enter(&row, now);
    }

    /// Frees what is over its window, some thousands of rows at a time; answers whether there is more.
    pub(crate) fn advance(&mut self, now: u64) -> bool {
        (0..ADVANCE_MAX)
            .all(|_| self.free_dead(now) || (self.len() > u64::from(self.keys_max) && self.free_oldest(now)))
    }

    /// Rows with a lower number have left, and the store may forget them.
    pub(crate) fn oldest_seq(&self, window: Window) -> u64 {
        let side = &self.sides[window as usize];
        side.rows.front().map_or(side.next_seq, |(_, row)| row.seq())
    }

    /// Rows in memory, variants and what is not yet freed included.
    pub(crate) fn len(&self) -> u64 {
        self.sides.iter().map(|side| u64::from(side.rows.len())).sum()
    }

    /// Keys that had to make room although they were live.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// For how many milliseconds back every key is known: the window, or less if keys had to make room.
    pub(crate) fn horizon(&self, window: Window, now: u64) -> u64 {
        let side = &self.sides[window as usize];
        side.left_at.map_or(side.window_ms, |left_at| side.window_ms.min(now.saturating_sub(left_at)))
    }

    /// Makes room for one row of `window`, and goes on a little if more is over.
    fn make_room(&mut self, window: Window, now: u64) {
        if self.sides[window as usize].window_ms == 0 {
            return;
        }
        for _ in 0..MAKE_ROOM_MAX {
            let full = self.len() >= u64::from(self.keys_max);
            if !(self.free_dead(now) || full && self.free_oldest(now)) {
                return;
            }
        }
    }

    /// Frees one row that means nothing any more, if one stands in front.
    fn free_dead(&mut self, now: u64) -> bool {
        let Some(side) = self.sides.iter_mut().find(|side| side.front_is_dead(now)) else { return false };
        side.free_front();
        true
    }

    /// Frees the oldest row of both windows, by acceptance.
    fn free_oldest(&mut self, now: u64) -> bool {
        let oldest = |side: &&mut Side| side.rows.front().map_or(u64::MAX, |(_, row)| row.seq());
        let Some(side) = self.sides.iter_mut().filter(|side| side.rows.len() > 0).min_by_key(oldest) else {
            return false;
        };
        let is_live = !side.front_is_dead(now);
        if let Some(key) = side.free_front().filter(|_| is_live) {
            side.left_at = side.left_at.max(Some(key.first_at));
            self.left += 1;
        }
        true
    }
}

impl Side {
    fn is_over(&self, first_at: u64, now: u64) -> bool {
        now.saturating_sub(first_at) >= self.window_ms
    }

    /// The row of this key, live or not.
    fn key(&self, hash: u128) -> Option<(u32, &Row)> {
        let is_it = |position| self.rows.get(position).is_some_and(|row| row.first == position && row.hash() == hash);
        let position = self.index.find(hash as u64, is_it)?;
        self.rows.get(position).map(|row| (position, row))
    }

    fn live(&self, hash: u128, now: u64) -> Option<(u32, &Row)> {
        self.key(hash).filter(|(_, row)| !self.is_over(row.first_at(), now))
    }

    /// The number of this variant of the key whose row is at `first`.
    fn variant(&self, hash: u128, digest: u64, first: u32) -> Option<u64> {
        let row_at = |position| self.rows.get(position).filter(|_| position != first);
        let is_it = |row: &Row| row.first == first && row.digest() == digest && row.hash() == hash;
        let position = self.index.find(variant_hash(hash, digest), |position| row_at(position).is_some_and(is_it))?;
        row_at(position).map(Row::seq)
    }

    /// Adds a row behind all others: a variant if its key was live when the row was made, else a key.
    fn enter(&mut self, row: &KeyRow, now: u64) {
        if self.window_ms == 0 {
            return;
        }
        let own = self.rows.next_position();
        let key = self.key(row.hash).map(|(position, key)| (position, key.first_at()));
        let was_live = |first_at| !self.is_over(first_at, row.first_at) && !self.is_over(first_at, now);
        let row = match key {
            Some((first, first_at)) if was_live(first_at) => Row::new(&KeyRow { first_at, ..*row }, first),
            key => {
                if let Some((dead, _)) = key {
                    self.index.remove(row.hash as u64, |position| position == dead);
                }
                Row::new(row, own)
            }
        };
        let rows = &self.rows;
        let hash_of = |position| rows.get(position).map_or(0, |row| index_hash(position, row));
        self.index.insert(index_hash(own, &row), own, hash_of);
        self.next_seq = row.seq().saturating_add(1);
        self.rows.push(row);
    }

    /// Whether the row in front means nothing any more. A variant's key has left before it.
    fn front_is_dead(&self, now: u64) -> bool {
        let dead = |(position, row): (u32, &Row)| row.first != position || self.is_over(row.first_at(), now);
        self.rows.front().is_some_and(dead)
    }

    /// Frees the row in front, and answers it if a look-up could still find it.
    fn free_front(&mut self) -> Option<KeyRow> {
        let (position, row) = self.rows.front().map(|(position, row)| (position, *row))?;
        let was_found = self.index.remove(index_hash(position, &row), |other| other == position);
        self.rows.drop_front();
        was_found.then(|| row.key_row())
    }
}

/// Where the index has the row at `position`.
fn index_hash(position: u32, row: &Row) -> u64 {
    if row.first == position { row.hash() as u64 } else { variant_hash(row.hash(), row.digest()) }
}

/// Variants are looked up one by one, so that a key with a million of them is as quick as any.
fn variant_hash(hash: u128, digest: u64) -> u64 {
    (hash >> 64) as u64 ^ digest.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
