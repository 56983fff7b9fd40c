//! Fuzz target: see `farpane_fuzz::token`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::token::accepts(input);
});
