//! The Wasmer host's reader of components.

use tare_host_wasmer::plan::Plan;
use tare_host_wasmer::reader::read;

/// Takes a component apart; the input is the component.
///
/// # Panics
/// Panics if what comes of it does not survive being written and read, as it is when kept beside compiled code.
pub fn reader(input: &[u8]) {
    let Ok(read) = read(input) else { return };
    let text = serde_json::to_vec(&read.plan).expect("a plan can be written");
    let again: Plan = serde_json::from_slice(&text).expect("a written plan can be read");
    assert_eq!(again, read.plan);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_components_that_the_host_takes() {
        for (name, seed) in crate::seeds("component") {
            let bytes = wat::parse_bytes(&seed).expect(&name);
            reader(&bytes);
            assert!(read(&bytes).is_ok(), "{name}: {:#}", read(&bytes).unwrap_err());
        }
    }
}
