//! Fuzz target: see `farpane_fuzz::grant`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::grant::accepts(input);
});
