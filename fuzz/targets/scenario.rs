//! Fuzzes [`tare_fuzz::scenario`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tare_fuzz::scenario(input));
