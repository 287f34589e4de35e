//! The reader of `service.toml`.

use std::path::Path;

use tare_runner::workload::parse_service;

/// Reads and checks a service; the input is the file, in a folder in which nothing else is.
///
/// # Panics
/// Panics if a service that passed its checks has no implementation or no probe.
pub fn service(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(service) = parse_service(text, Path::new("/nonexistent/cart")) else { return };
    assert!(service.scenario.probe().probe, "the probe is one");
    assert!(service.workloads().next().is_some(), "there is something to measure");
    for workload in service.workloads() {
        let slug = workload.slug();
        assert!(!slug.is_empty() && !slug.contains('/') && slug != "..", "`{slug}` is no name of a file");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_services() {
        for (name, seed) in crate::seeds("service") {
            service(&seed);
            let text = std::str::from_utf8(&seed).expect(&name);
            let parsed = parse_service(text, Path::new("/nonexistent/cart"));
            assert!(parsed.is_ok(), "{name}: {:#}", parsed.unwrap_err());
        }
    }
}
