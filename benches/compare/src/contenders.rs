//! Who is compared: each reads one message and sums the lengths of the same fields.

use nexowire_bench::{Corpus, PADDING};
use simd_json::{Buffers, Tape, fill_tape_padded};

use crate::foreign::Foreign;
use crate::ours::Reader;
use crate::tree;
use crate::typed::Message;

/// Reads one message, with its padding; `None` if it does not take it, else the sum of the lengths.
type One = Box<dyn FnMut(&[u8]) -> Option<u64>>;

/// One contender.
pub(crate) struct Contender {
    /// Its name in the table.
    pub(crate) title: &'static str,
    /// Its name in the JSON; none for a second way to use the same parser.
    pub(crate) key: Option<&'static str>,
    /// The sum of one message.
    pub(crate) one: One,
    /// The sum of all messages.
    pub(crate) pass: Box<dyn FnMut(&Corpus) -> u64>,
}

/// Two closures from one function, so that the loop over all messages has no indirect call in it.
fn contender<S: 'static>(
    title: &'static str,
    key: Option<&'static str>,
    new: impl Fn() -> S,
    sum: impl Fn(&mut S, &[u8]) -> Option<u64> + Copy + 'static,
) -> Contender {
    let (mut first, mut second) = (new(), new());
    Contender {
        title,
        key,
        one: Box::new(move |padded| sum(&mut first, padded)),
        pass: Box::new(move |corpus| {
            corpus.padded_messages().map(|padded| sum(&mut second, padded).unwrap_or(0)).sum()
        }),
    }
}

/// The message without what stands behind it.
#[inline]
fn bare(padded: &[u8]) -> &[u8] {
    &padded[..padded.len() - PADDING]
}

/// All of them, nexowire first.
pub(crate) fn all() -> Vec<Contender> {
    vec![
        contender("nexowire", None, Reader::new, |reader, padded| reader.sum(bare(padded))),
        contender("simd-json tape", Some("simd-json"), SimdJson::default, SimdJson::tape),
        contender("simd-json serde", None, SimdJson::default, SimdJson::typed),
        contender(
            "sonic-rs typed",
            Some("sonic-rs"),
            || (),
            |(), padded| sonic_rs::from_slice(bare(padded)).ok().map(|message: Message<'_>| message.sum()),
        ),
        contender(
            "serde_json typed",
            Some("serde_json"),
            || (),
            |(), padded| {
                let text = simdutf8::basic::from_utf8(bare(padded)).ok()?;
                serde_json::from_str(text).ok().map(|message: Message<'_>| message.sum())
            },
        ),
        contender(
            "serde_json Value",
            None,
            || (),
            |(), padded| {
                let value: serde_json::Value = serde_json::from_slice(bare(padded)).ok()?;
                Some(tree::sum(&value))
            },
        ),
        contender("simdjson DOM", Some("simdjson-dom"), Foreign::simdjson_dom, Foreign::sum),
        contender("simdjson On-Demand", Some("simdjson-ondemand"), Foreign::simdjson_ondemand, Foreign::sum),
        contender("yyjson", Some("yyjson"), Foreign::yyjson, Foreign::sum),
    ]
}

/// simd-json with all memory that it can use again. It writes into its input, so that every message is copied first.
#[derive(Default)]
struct SimdJson {
    copy: Vec<u8>,
    buffers: Buffers,
    /// Empty between messages; kept for its memory.
    tape: Option<Tape<'static>>,
}

impl SimdJson {
    fn tape(&mut self, padded: &[u8]) -> Option<u64> {
        self.copy.clear();
        self.copy.extend_from_slice(padded);
        let length = padded.len() - PADDING;
        let mut tape = self.tape.take().unwrap_or_else(Tape::null).reset();
        let filled = fill_tape_padded(&mut self.copy, length, &mut self.buffers, &mut tape);
        let sum = filled.is_ok().then(|| tree::sum(tape.as_value()));
        self.tape = Some(tape.reset());
        sum
    }

    fn typed(&mut self, padded: &[u8]) -> Option<u64> {
        self.copy.clear();
        self.copy.extend_from_slice(bare(padded));
        let message = simd_json::serde::from_slice_with_buffers(&mut self.copy, &mut self.buffers);
        message.ok().map(|message: Message<'_>| message.sum())
    }
}
