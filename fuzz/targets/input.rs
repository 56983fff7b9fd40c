//! Fuzz target: see `farpane_fuzz::input`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::input::accepts(input);
});
