//! Fuzz target: see `farpane_fuzz::batch`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::batch::accepts(input);
});
