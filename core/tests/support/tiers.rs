//! What the fuzz target `tiers` asks of one input; `core/tests/tiers.rs` asks the same on stable.

use nexowire_core::classify::{classify, classify_with};
use nexowire_core::limits::Limits;
use nexowire_core::shape::Shapes;
use nexowire_core::simd::Kernel;

/// Messages of one input, beyond which it is cut.
const MESSAGES_MAX: usize = 64;

/// Holds both tiers together, and all kernels of the first.
///
/// `input` is messages with a byte 0 between them: all are for training, and the last one is then asked for again.
///
/// # Panics
/// Where two differ in any field, or in the error.
pub(crate) fn check(input: &[u8]) {
    let (limits, kernels) = (Limits::default(), Kernel::available());
    let shapes = Shapes::new(limits);
    let agree = |body: &[u8]| {
        let expected = classify(body, &limits);
        assert_eq!(shapes.classify(body), expected, "tier 2: {}", body.escape_ascii());
        for kernel in &kernels {
            let found = classify_with(*kernel, body, &limits);
            assert_eq!(found, expected, "{}: {}", kernel.name(), body.escape_ascii());
        }
    };
    let messages: Vec<_> = input.split(|byte| *byte == 0).take(MESSAGES_MAX).collect();
    for body in &messages {
        // The first time it is learned, the second time it is known.
        agree(body);
        agree(body);
    }
    messages.last().into_iter().for_each(|probe| agree(probe));
}
