//! Fuzz target: see `farpane_fuzz::audit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::audit::accepts(input);
});
