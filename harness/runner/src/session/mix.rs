//! From a scenario to the load that its weights describe.

use anyhow::{Context, Result};
use tare_load::Mix;

use super::verify::Captures;
use crate::workload::Scenario;

/// The load of a scenario: its steps with a weight, with what a pass through the scenario captured put in.
pub fn mix(scenario: &Scenario, captures: &Captures) -> Result<Mix> {
    let mut captures = captures.clone();
    // The generator puts its own value in, a new one for each request.
    captures.remove("unique");
    let mut requests = Vec::new();
    for step in &scenario.steps {
        let Some(weight) = step.weight else { continue };
        requests.push((step.request(&captures)?, weight));
    }
    Mix::new(requests).context("the scenario gives no load")
}
