//! Fuzz target: see `farpane_fuzz::invitation`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::invitation::accepts(input);
});
