//! From a scenario to the load that its weights describe.

use anyhow::{Context, Result};
use tare_load::{Expect, Mix, Parts, Request};

use super::verify::Captures;
use crate::workload::scenario::{Scenario, fill};

/// The load of a scenario: its steps with a weight, with what a pass through the scenario captured put in.
pub fn mix(scenario: &Scenario, captures: &Captures) -> Result<Mix> {
    let mut captures = captures.clone();
    // The generator puts its own value in, a new one for each request.
    captures.remove("unique");
    let mut requests = Vec::new();
    for step in &scenario.steps {
        let Some(weight) = step.weight else { continue };
        let headers: Vec<(String, String)> =
            step.raw_headers().into_iter().map(|(name, value)| (name, fill(&value, &captures))).collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let contains = step.expect.contains.iter().map(|needle| fill(needle, &captures).into_bytes()).collect();
        let (path, body) = (fill(&step.path, &captures), fill(&step.raw_body().unwrap_or_default(), &captures));
        let parts = Parts {
            name: &step.name,
            method: &step.method,
            path: &path,
            headers: &headers,
            body: body.as_bytes(),
            expect: Expect { status: step.expect.status, contains },
        };
        requests.push((Request::new(&parts)?, weight));
    }
    Mix::new(requests).context("the scenario gives no load")
}
