//! The reader of `scenario.toml`.

use tare_runner::Scenario;

/// Reads and checks a scenario; the input is the file.
///
/// # Panics
/// Panics if a scenario that passed its checks has no probe.
pub fn scenario(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(scenario) = Scenario::parse(text) else { return };
    assert!(scenario.probe().probe, "the probe is one");
    for step in &scenario.steps {
        let _ = (step.raw_body(), step.raw_headers());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_scenarios() {
        for (name, seed) in crate::seeds("scenario") {
            scenario(&seed);
            let text = std::str::from_utf8(&seed).expect(&name);
            assert!(Scenario::parse(text).is_ok(), "{name}: {:#}", Scenario::parse(text).unwrap_err());
        }
    }
}
