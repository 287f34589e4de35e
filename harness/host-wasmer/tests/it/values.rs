//! Values through the memory of a guest and back, and layouts as the canonical ABI says.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use tare_host_wasmer::abi::{Allowance, Flat, Flats, Guest, Lift, Lower, Own, Type};
use tare_host_wasmer::wasi::http::{ErrorCode, Method};
use tare_host_wasmer::wasi::io::{IoError, StreamError};

use crate::fake::Fake;

fn round_trip<T: Lift + Lower + Clone + PartialEq + std::fmt::Debug>(value: &T) -> Result<(), TestCaseError> {
    let mut fake = Fake::new(vec![0xAA; 64 * 1024]);
    value.clone().store(&mut fake, 16).unwrap();
    prop_assert_eq!(&T::load(Guest::new(&fake.memory), 16).unwrap(), value);
    prop_assert_eq!(fake.memory[15], 0xAA, "nothing is written before it");
    prop_assert_eq!(fake.memory[16 + T::SIZE as usize], 0xAA, "nor behind it");
    Ok(())
}

fn text() -> impl Strategy<Value = String> {
    any::<String>()
}

fn bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..100).prop_map(Bytes::from)
}

fn method() -> impl Strategy<Value = Method> {
    prop_oneof![Just(Method::Get), Just(Method::Patch), text().prop_map(Method::Other)]
}

fn code() -> impl Strategy<Value = ErrorCode> {
    prop_oneof![
        Just(ErrorCode::DnsTimeout),
        any::<Option<u64>>().prop_map(ErrorCode::HttpResponseBodySize),
        any::<Option<u32>>().prop_map(ErrorCode::HttpRequestHeaderSectionSize),
        any::<Option<String>>().prop_map(ErrorCode::InternalError),
    ]
}

proptest! {
    #[test]
    fn what_is_stored_is_loaded(
        number in any::<(u8, u64, u16, i64)>(),
        strings in vec((text(), bytes()), 0..5),
        option in any::<Option<(u32, String)>>(),
        result in prop_oneof![bytes().prop_map(Ok), code().prop_map(Err)],
        method in method(),
    ) {
        round_trip(&number)?;
        round_trip(&strings)?;
        round_trip(&option)?;
        round_trip::<Result<Bytes, ErrorCode>>(&result)?;
        round_trip(&method)?;
        round_trip(&Some(vec![method]))?;
    }

    #[test]
    fn anything_in_memory_is_a_value_or_refused(bytes in vec(any::<u8>(), 0..256), at in 0..300_u32) {
        let guest = Guest::new(&bytes);
        let at = at & !7;
        let _ = <(String, Bytes)>::load(guest, at);
        let _ = Vec::<(String, Bytes)>::load(guest, at);
        let _ = Vec::<Vec<Option<u64>>>::load(guest, at);
        let _ = ErrorCode::load(guest, at);
        let _ = Result::<Method, ErrorCode>::load(guest, at);
    }

    #[test]
    fn any_core_values_are_a_value_or_refused(
        memory in vec(any::<u8>(), 0..64),
        values in vec(prop_oneof![0..64_u64, any::<u64>()], 16),
    ) {
        let guest = Guest::new(&memory);
        let _ = <Result<Own<IoError>, ErrorCode>>::lift(guest, &mut Flats::new(&values));
        let _ = <(Option<Method>, Vec<String>)>::lift(guest, &mut Flats::new(&values));
        let _ = <Option<Bytes>>::lift(guest, &mut Flats::new(&values));
    }
}

/// Size, alignment and flattening.
fn layout<T: Type>() -> (u32, u32, Vec<Flat>) {
    let mut flats = Vec::new();
    T::flatten(&mut flats);
    assert_eq!(flats.len(), T::WIDTH);
    (T::SIZE, T::ALIGN, flats)
}

#[test]
fn layouts_are_those_of_the_canonical_abi() {
    use Flat::{I32, I64};
    // Worked out by hand from `alignment`, `elem_size` and `flatten_type` of CanonicalABI.md.
    assert_eq!(layout::<(u8, u16, u8)>(), (6, 2, vec![I32, I32, I32]));
    assert_eq!(layout::<(u8, u64)>(), (16, 8, vec![I32, I64]));
    assert_eq!(layout::<Option<u64>>(), (16, 8, vec![I32, I64]));
    assert_eq!(layout::<Option<u8>>(), (2, 1, vec![I32, I32]));
    assert_eq!(layout::<Result<(), ()>>(), (1, 1, vec![I32]));
    assert_eq!(layout::<Result<u64, u32>>(), (16, 8, vec![I32, I64]));
    assert_eq!(layout::<Result<u32, String>>(), (12, 4, vec![I32, I32, I32]));
    assert_eq!(layout::<StreamError>(), (8, 4, vec![I32, I32]));
    assert_eq!(layout::<Method>(), (12, 4, vec![I32, I32, I32]));
    // The widest payload is option<field-size-payload>; option<u64> makes its first value but one 64 bits wide.
    assert_eq!(layout::<ErrorCode>(), (32, 8, vec![I32, I32, I64, I32, I32, I32, I32]));
}

#[test]
fn text_that_is_not_utf8_and_lists_that_are_too_long_are_refused() {
    let mut memory = vec![0; 64];
    memory[0..8].copy_from_slice(&[32, 0, 0, 0, 2, 0, 0, 0]);
    memory[32..34].copy_from_slice(&[0xC3, 0x28]);
    let refused = |result: Result<String, _>| result.map_err(|trap: tare_host_wasmer::abi::Trap| trap.to_string());
    assert!(refused(String::load(Guest::new(&memory), 0)).unwrap_err().contains("address 32 is not UTF-8"));
    memory[4..8].copy_from_slice(&100_u32.to_le_bytes());
    assert!(refused(String::load(Guest::new(&memory), 0)).unwrap_err().contains("not all in memory"));
    memory[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(Vec::<u64>::load(Guest::new(&memory), 0).unwrap_err().to_string().contains("too long"));
    memory[0..8].copy_from_slice(&[33, 0, 0, 0, 1, 0, 0, 0]);
    assert!(Vec::<u32>::load(Guest::new(&memory), 0).unwrap_err().to_string().contains("not aligned"));
}

/// Many elements that are all at the same place: in memory once, in the host as often as they are named.
#[test]
fn what_a_call_passes_has_an_end_whatever_overlaps() {
    let (count, length) = (3000_u32, 64 * 1024_u32);
    let mut memory = vec![b'x'; 128 * 1024];
    memory[0..8].copy_from_slice(&[8_u32, count].map(u32::to_le_bytes).concat());
    for at in (8..).step_by(8).take(count as usize) {
        memory[at..at + 8].copy_from_slice(&[64 * 1024, length].map(u32::to_le_bytes).concat());
    }
    let passed = |count: u32| {
        let mut memory = memory.clone();
        memory[4..8].copy_from_slice(&count.to_le_bytes());
        Vec::<Bytes>::load(Guest::new(&memory).within(&Allowance::default()), 0).map(|list| list.len())
    };
    assert_eq!(passed(1000).unwrap(), 1000);
    assert!(passed(count).unwrap_err().to_string().contains("one call passes more than"));
}
