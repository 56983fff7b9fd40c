//! Fuzz target: see `farpane_fuzz::calls`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::calls::accepts(input);
});
