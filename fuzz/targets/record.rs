//! Fuzzes [`tare_fuzz::record`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tare_fuzz::record(input));
