//! Fuzzes [`tare_fuzz::samples`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tare_fuzz::samples(input));
