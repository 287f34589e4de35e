//! What reads a component before a host is started.

use tare_component::{Granted, Runtime, inspect, problems};

/// Inspects a component and asks what keeps it from being served; the input is the component.
///
/// # Panics
/// Panics if a problem is reported without what it is about, why it is one, or what helps.
pub fn component(input: &[u8]) {
    let Ok(inspected) = inspect(input) else { return };
    let nothing = Granted { memory_bytes: Some(0), table_elements: Some(0), simd: false, ..Granted::default() };
    for runtime in [Runtime::Wasmtime, Runtime::Wasmer] {
        for granted in [&Granted::default(), &nothing] {
            for problem in problems(&inspected, runtime, granted) {
                let said = [&problem.subject, &problem.why, &problem.remedy];
                assert!(said.iter().all(|text| !text.is_empty()), "{problem:?}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_components() {
        for (name, seed) in crate::seeds("component") {
            let bytes = wat::parse_bytes(&seed).expect(&name);
            component(&bytes);
            assert!(inspect(&bytes).is_ok(), "{name}: {:#}", inspect(&bytes).unwrap_err());
        }
    }
}
