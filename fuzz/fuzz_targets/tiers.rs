//! Both tiers and every kernel, on messages that a fuzzer makes.
#![no_main]

#[path = "../../core/tests/support/tiers.rs"]
mod tiers;

libfuzzer_sys::fuzz_target!(|input: &[u8]| tiers::check(input));
