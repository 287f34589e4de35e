//! Fuzzes [`tare_fuzz::service`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tare_fuzz::service(input));
