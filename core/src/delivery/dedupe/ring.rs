//! Rows in the order of their acceptance, in chunks of one size: memory comes and goes in small pieces, and growing
//! copies nothing.

use std::collections::VecDeque;

use super::super::key_row::KeyRow;

/// Rows of one chunk; 22 KiB, so that what is begun and not full weighs little.
const CHUNK: u32 = 512;

/// A row of the ring. Packed, because four bytes of padding a row are forty megabytes in ten million.
#[derive(Clone, Copy)]
#[repr(C, packed(4))]
pub(super) struct Row {
    hash_low: u64,
    hash_high: u64,
    digest: u64,
    first_at: u64,
    seq: u64,
    /// The position of the first row of the key: its own, unless it is a variant.
    pub(super) first: u32,
}

const _: () = assert!(size_of::<Row>() == 44);

impl Row {
    const EMPTY: Self = Self { hash_low: 0, hash_high: 0, digest: 0, first_at: 0, seq: 0, first: 0 };

    pub(super) fn new(row: &KeyRow, first: u32) -> Self {
        let KeyRow { hash, digest, first_at, seq } = *row;
        Self { hash_low: hash as u64, hash_high: (hash >> 64) as u64, digest, first_at, seq, first }
    }

    pub(super) fn key_row(&self) -> KeyRow {
        KeyRow { hash: self.hash(), digest: self.digest, first_at: self.first_at, seq: self.seq }
    }

    pub(super) fn hash(&self) -> u128 {
        u128::from(self.hash_high) << 64 | u128::from(self.hash_low)
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    pub(super) fn first_at(&self) -> u64 {
        self.first_at
    }

    pub(super) fn seq(&self) -> u64 {
        self.seq
    }
}

/// A queue of rows, each at a position that stays while it is there. Positions count up and wrap around.
pub(super) struct Ring {
    chunks: VecDeque<Box<[Row]>>,
    /// A chunk that is empty and waits to be the next, so that a window that slides allocates nothing.
    spare: Option<Box<[Row]>>,
    front: u32,
    back: u32,
}

impl Ring {
    pub(super) const fn new() -> Self {
        Self { chunks: VecDeque::new(), spare: None, front: 0, back: 0 }
    }

    pub(super) fn len(&self) -> u32 {
        self.back.wrapping_sub(self.front)
    }

    /// The position that the next row will have.
    pub(super) fn next_position(&self) -> u32 {
        self.back
    }

    pub(super) fn get(&self, position: u32) -> Option<&Row> {
        if position.wrapping_sub(self.front) >= self.len() {
            return None;
        }
        // Chunks begin at multiples of their size, also where positions wrap around.
        let offset = position.wrapping_sub(self.front - self.front % CHUNK);
        self.chunks.get((offset / CHUNK) as usize)?.get((offset % CHUNK) as usize)
    }

    pub(super) fn front(&self) -> Option<(u32, &Row)> {
        self.get(self.front).map(|row| (self.front, row))
    }

    pub(super) fn push(&mut self, row: Row) {
        let place = (self.back % CHUNK) as usize;
        if place == 0 || self.chunks.is_empty() {
            let empty = || vec![Row::EMPTY; CHUNK as usize].into_boxed_slice();
            self.chunks.push_back(self.spare.take().unwrap_or_else(empty));
        }
        if let Some(free) = self.chunks.back_mut().and_then(|chunk| chunk.get_mut(place)) {
            *free = row;
        }
        self.back = self.back.wrapping_add(1);
    }

    pub(super) fn drop_front(&mut self) {
        if self.len() == 0 {
            return;
        }
        self.front = self.front.wrapping_add(1);
        if self.front.is_multiple_of(CHUNK) {
            self.spare = self.chunks.pop_front();
        }
        if self.len() == 0 {
            // The next row begins a chunk wherever it stands.
            self.spare = self.chunks.pop_front().or(self.spare.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: u64) -> Row {
        Row::new(&KeyRow { hash: u128::from(seq) << 60, digest: seq + 1, first_at: seq + 2, seq }, seq as u32)
    }

    #[test]
    fn rows_stay_where_they_are_while_positions_wrap_around() {
        for start in [0, 1, 511, u32::MAX - 700, u32::MAX - 511, u32::MAX] {
            let mut ring = Ring { front: start, back: start, ..Ring::new() };
            let (mut first, mut next) = (0_u64, 0_u64);
            for step in 0..6_000_u64 {
                // Fills, empties and fills again, over several chunks and down to nothing.
                if step / 1_500 % 2 == 0 {
                    assert_eq!(ring.next_position(), start.wrapping_add(next as u32));
                    ring.push(row(next));
                    next += 1;
                } else {
                    let front = ring.front().map(|(position, row)| (position, row.key_row().seq));
                    let expected = (first < next).then(|| (start.wrapping_add(first as u32), first));
                    assert_eq!(front, expected);
                    ring.drop_front();
                    first = next.min(first + 1);
                }
                assert_eq!(u64::from(ring.len()), next - first);
                let at = |seq: u64| ring.get(start.wrapping_add(seq as u32)).map(|row| row.key_row());
                for seq in [first, (first + next) / 2, next.saturating_sub(1)] {
                    let expected = (first..next).contains(&seq).then(|| row(seq).key_row());
                    assert_eq!(at(seq), expected, "{start} {step}");
                }
                assert_eq!(at(next), None);
            }
        }
    }
}
