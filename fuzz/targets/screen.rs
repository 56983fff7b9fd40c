//! Fuzz target: see `farpane_fuzz::screen`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::screen::accepts(input);
});
