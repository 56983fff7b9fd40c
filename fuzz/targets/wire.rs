//! Fuzz target: see `farpane_fuzz::wire`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    farpane_fuzz::wire::accepts(input);
});
