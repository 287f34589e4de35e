//! Every function of the host, called by guests that pass anything.

use proptest::collection::vec;
use proptest::prelude::*;
use tare_host_wasmer::abi::Trap;
use tare_host_wasmer::wasi::{HostFunction, table};

use crate::fake::Fake;

/// What guests pass: often a small number, which is a handle or a case, or an address; sometimes anything.
fn value() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..8_u64, 2 => (0..4096_u64).prop_map(|at| at * 8), 1 => any::<u64>()]
}

fn memory() -> impl Strategy<Value = Vec<u8>> {
    // Small numbers again: pointers into itself, and short lengths.
    vec(prop_oneof![3 => Just(0_u8), 2 => 0..16_u8, 1 => any::<u8>()], 4096).prop_map(|mut bytes| {
        bytes.resize(64 * 1024, 0);
        bytes
    })
}

fn functions() -> Vec<&'static HostFunction> {
    table().functions.iter().chain(&table().drops).collect()
}

/// Calls a function as a guest does: with as many values as it takes, 32-bit ones with nothing above.
fn call(fake: &mut Fake, function: &HostFunction, values: &[u64]) -> Result<u64, Trap> {
    use tare_host_wasmer::abi::Flat;
    let fit = |(flat, value): (&Flat, &u64)| if *flat == Flat::I32 { value & u64::from(u32::MAX) } else { *value };
    let values: Vec<u64> = function.params.iter().zip(values.iter().cycle()).map(fit).collect();
    function.call(fake, &values)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_guest_makes_the_host_panic_and_every_trap_names_the_call(
        memory in memory(),
        calls in vec((any::<prop::sample::Index>(), vec(value(), 1..16)), 1..40),
    ) {
        let functions = functions();
        let mut fake = Fake::new(memory);
        for (index, values) in calls {
            let function = functions[index.index(functions.len())];
            if let Err(trap) = call(&mut fake, function, &values) {
                let told = trap.to_string();
                prop_assert!(told.contains(function.interface) && told.contains(function.name), "{}", told);
            }
        }
    }

    #[test]
    fn whatever_a_guest_did_all_its_handles_can_be_dropped(
        memory in memory(),
        calls in vec((any::<prop::sample::Index>(), vec(value(), 1..16)), 1..60),
    ) {
        let functions = functions();
        let mut fake = Fake::new(memory);
        for (index, values) in calls {
            // What it comes to does not matter here.
            let function = functions[index.index(functions.len())];
            let _ = call(&mut fake, function, &values);
        }
        // Children first: as many passes as things can depend on each other.
        for _ in 0..4 {
            for handle in 1..200_u64 {
                for drop in &table().drops {
                    let _ = drop.call(&mut fake, &[handle]);
                }
            }
        }
        prop_assert!(fake.state.handles.is_empty(), "{} are left", fake.state.handles.len());
    }
}
