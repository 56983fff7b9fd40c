//! Fuzz target: see `farpane_fuzz::rate`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::rate::accepts(input);
});
