//! Fuzz target: see `farpane_fuzz::av1`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::av1::accepts(input);
});
