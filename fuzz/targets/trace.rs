//! Fuzz target: see `farpane_fuzz::trace`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::trace::accepts(input);
});
