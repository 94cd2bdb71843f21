//! Learned shapes: the second tier, which changes nothing but the time that a message takes.
//!
//! Terminals send the same few layouts over and over. What the general walk has accepted is learned as an automaton of
//! fixed bytes between values that vary; a body that follows it needs only its values scanned. Anything else falls back
//! to the general walk, which also decides whatever is ambiguous: nobody can tell from a result which tier made it.
//!
//! No value outlives its message here: what is learned is punctuation, white space, names and words of the vocabulary.
//! (Design, section 5, would allow SaleID too; a shop has many tills, and each would be an edge of its own.) Source: design, section 5; `performance.md`, sections 2 and 13.

mod automaton;
mod chooser;
mod facts;
mod learn;
mod patience;
mod publication;
mod teacher;

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use self::automaton::Automaton;
use self::learn::Lesson;
use self::patience::Patience;
use self::publication::Publication;
use self::teacher::Teacher;
use crate::classify::{Classified, classify};
use crate::limits::Limits;
use crate::nexo::{Envelope, Fields, Flags, conclude_known};
use crate::simd::dispatch;
use crate::simd::scan::{Scan, Scanner};

/// Of the bytes that the general walk reads, the part that may be wasted on shapes that did not fit; and as much again
/// on learning.
const WASTE_PART: i64 = 16;

/// Of the bytes of a body whose layout is known, the part that it saves at least and gives back to the account.
const SAVED_PART: i64 = 4;

/// What a try costs besides the bytes that it reads, in bytes of the general walk.
const START_COST: i64 = 64;

/// What may be wasted beforehand on reading: a few hundred messages, until it is clear whether they have layouts.
const READING_GRANTED: i64 = 256 << 10;

/// The same on learning: enough for the layouts of a shop at once.
const LESSONS_GRANTED: i64 = 16 << 20;

/// What learning costs, in bytes of the general walk, for each byte of the body.
const LESSON_COST: i64 = 16;

/// The same for each byte of the literals, with which the automaton is made anew.
const RENEWAL_COST: i64 = 3;

/// The shapes of one engine, shared by its threads; bounded, and proof against traffic that is made to spoil them.
///
/// ```
/// use nexowire_core::limits::Limits;
/// use nexowire_core::nexo::Kind;
/// use nexowire_core::shape::Shapes;
///
/// let shapes = Shapes::new(Limits::default());
/// for device in 1..4 {
///     let body = format!(r#"{{"SaleToPOIRequest":{{"EventNotification":{{}},"MessageHeader":{{"DeviceID":"{device}"}}}}}}"#);
///     assert_eq!(shapes.classify(body.as_bytes()).fields.kind, Kind::Event);
/// }
/// assert!(shapes.size().states > 0);
/// ```
pub struct Shapes {
    limits: Limits,
    learned: Publication,
    teacher: Mutex<Teacher>,
    /// Bytes that may still be wasted on reading. A hit writes here only where much has been wasted: if all fit, nothing
    /// shared is written.
    budget: AtomicI64,
    /// The same for learning, so that what cannot be learned does not keep others from reading what can.
    lessons: AtomicI64,
    patience: Patience,
}

/// How much has been learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Places between values.
    pub states: usize,
    /// Ways between them.
    pub edges: usize,
    /// Bytes of fixed text.
    pub literal_bytes: usize,
}

impl Shapes {
    /// Nothing learned yet. All bodies are held against `limits`.
    pub fn new(limits: Limits) -> Self {
        // As for the general walk, limits above the highest count as that.
        let limits = Limits {
            body: limits.body.min(Limits::MAX.body),
            members: limits.members.min(Limits::MAX.members),
            ..limits
        };
        let [budget, lessons] = [READING_GRANTED, LESSONS_GRANTED].map(AtomicI64::new);
        Self {
            limits,
            learned: Publication::default(),
            teacher: Mutex::default(),
            budget,
            lessons,
            patience: Patience::default(),
        }
    }

    /// Exactly what [`classify`] answers, sooner where the body has a layout that was seen before.
    #[inline]
    pub fn classify(&self, body: &[u8]) -> Classified {
        let mut classified = Classified::default();
        self.classify_into(body, &mut classified);
        classified
    }

    /// The same for who keeps an answer from message to message, which need not be made and moved each time.
    ///
    /// ```
    /// # use nexowire_core::{classify::Classified, limits::Limits, nexo::Kind, shape::Shapes};
    /// let (shapes, mut classified) = (Shapes::new(Limits::default()), Classified::default());
    /// for (body, kind) in [(&b"ok"[..], Kind::Acknowledgement), (b"{}", Kind::Foreign), (b"{", Kind::Malformed)] {
    ///     shapes.classify_into(body, &mut classified);
    ///     assert_eq!(classified.fields.kind, kind);
    /// }
    /// ```
    pub fn classify_into(&self, body: &[u8], classified: &mut Classified) {
        if self.patience.rests() {
            *classified = classify(body, &self.limits);
            return;
        }
        classified.error = None;
        if let Err(wasted) = self.read(body, &mut classified.fields) {
            *classified = self.classify_and_learn(body, wasted);
        }
    }

    /// Reads a body that has a layout that was seen before.
    ///
    /// # Errors
    /// It has none. `fields` is spoilt; so many bytes were wasted.
    #[inline(always)]
    fn read(&self, body: &[u8], fields: &mut Fields) -> Result<(), i64> {
        // Relaxed: the budget is an account, and guards nothing.
        let budget = self.budget.load(Ordering::Relaxed);
        if budget < 0 || body.len() > self.limits.body as usize {
            return Err(0);
        }
        let members_max = self.limits.members;
        let read = self.learned.read(|learned| dispatch(Read { learned, body, members_max, fields }));
        let wasted = match read.ok_or(0)? {
            Ok(()) => {
                self.patience.succeeded();
                if budget < READING_GRANTED / 2 {
                    settle(&self.budget, body.len() as i64 / SAVED_PART, READING_GRANTED);
                }
                return Ok(());
            }
            Err(wasted) => wasted,
        };
        Err(START_COST + wasted as i64)
    }

    /// How much has been learned.
    pub fn size(&self) -> Size {
        let size = |learned: &Automaton| Size {
            states: learned.states.len(),
            edges: learned.edges.len(),
            literal_bytes: learned.literal_bytes,
        };
        self.learned.read(size).unwrap_or_default()
    }

    /// The general walk, after `wasted` bytes of trying; learns the layout if that can be afforded.
    #[inline(never)]
    fn classify_and_learn(&self, body: &[u8], wasted: i64) -> Classified {
        let classified = classify(body, &self.limits);
        self.patience.failed();
        let earned = body.len() as i64 / WASTE_PART;
        settle(&self.budget, earned - wasted, READING_GRANTED);
        let is_odd = classified.error.is_some() || classified.fields.flags != Flags::NONE;
        if settle(&self.lessons, earned, LESSONS_GRANTED) > 0
            && !is_odd
            && classified.fields.envelope != Envelope::Other
        {
            self.learn(body, &classified);
        }
        classified
    }

    /// Adds the layout of a body, if nobody else is learning now.
    #[cold]
    fn learn(&self, body: &[u8], classified: &Classified) {
        let Ok(mut teacher) = self.teacher.try_lock() else { return };
        settle(&self.lessons, -LESSON_COST * body.len() as i64, LESSONS_GRANTED);
        let Some(lesson) = Lesson::of(body, &classified.fields) else { return };
        if let Some(next) = teacher.take(&lesson) {
            settle(&self.lessons, -RENEWAL_COST * next.literal_bytes as i64, LESSONS_GRANTED);
            self.learned.publish(next);
        }
    }

    /// All fixed text, for those who want to know that no value is in it.
    #[cfg(test)]
    fn literals(&self) -> Vec<u8> {
        let literals = |learned: &Automaton| {
            let literal = |edge: &automaton::Edge| {
                let pieces = learned.pieces_of(edge).iter().flat_map(|piece| piece.bytes);
                edge.head.into_iter().chain(pieces).take(usize::from(edge.length)).collect::<Vec<_>>()
            };
            learned.edges.iter().flat_map(literal).collect()
        };
        self.learned.read(literals).unwrap_or_default()
    }
}

impl fmt::Debug for Shapes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shapes").field("size", &self.size()).finish()
    }
}

/// Adds to an account, which saves no more than `most`; answers what is on it.
fn settle(account: &AtomicI64, amount: i64, most: i64) -> i64 {
    let sum = account.fetch_add(amount, Ordering::Relaxed) + amount;
    if sum > most {
        account.store(most, Ordering::Relaxed);
    }
    sum
}

/// One reading, for the machine's scanner.
struct Read<'a> {
    learned: &'a Automaton,
    body: &'a [u8],
    members_max: u32,
    fields: &'a mut Fields,
}

impl Scan for Read<'_> {
    type Output = Result<(), usize>;

    #[inline(always)]
    fn run<S: Scanner>(self, scanner: S) -> Result<(), usize> {
        let Self { learned, body, members_max, fields } = self;
        let facts = learned.read(scanner, body, members_max, fields)?;
        let known = facts.tell(fields, body).ok_or(body.len())?;
        let is_known = conclude_known(fields, known, body, |form, at| scanner.marks(form, at));
        if is_known { Ok(()) } else { Err(body.len()) }
    }
}

#[cfg(test)]
mod tests;
