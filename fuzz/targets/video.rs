//! Fuzz target: see `farpane_fuzz::video`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::video::accepts(input);
});
