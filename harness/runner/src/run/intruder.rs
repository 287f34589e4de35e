//! The intruder: a service of the workspace that tries from inside what isolation should prevent; and who is asked to be tried.

use anyhow::{Context, Result};
use tare_model::{DEFAULT_IMPLEMENTATION, Role, Subject, VariantId};

use super::plan::Chosen;
use crate::workload::{Implementation, Needs, Scenario, Service, Source, Workload};

/// The intruder's name, and its folder's under services/.
pub const INTRUDER: &str = "intruder";

/// It is only asked whether it runs; the load is never put on it.
const SCENARIO: &str = r#"
summary = "tries what isolation should prevent"
p99_objective_ms = 10.0
[[step]]
name = "health"
method = "GET"
path = "/healthz"
probe = true
weight = 1
expect = { status = 200 }
"#;

/// Whether the variant of a subject is probed: controls are not there to be chosen, and the noise is the reference once more.
/// What somebody brings cannot be asked to try anything; the intruder is made as the workspace's services are.
pub fn is_probed(chosen: &Chosen<'_>) -> bool {
    let is_built_in = matches!(chosen.workload.implementation.source, Source::Workspace { .. });
    is_built_in && matches!(chosen.variant.entry().role, Role::Headline | Role::Setting)
}

/// The intruder as a service of the workspace.
pub struct Intruder(Service);

impl Intruder {
    /// It as a workload.
    pub fn workload(&self) -> Workload<'_> {
        Workload { service: &self.0, implementation: &self.0.implementations[0] }
    }

    /// It in a variant.
    pub fn subject(&self, id: &VariantId) -> Subject {
        self.workload().subject(id)
    }
}

/// The intruder.
///
/// # Errors
/// Its scenario is none.
pub fn intruder() -> Result<Intruder> {
    let scenario = Scenario::parse(SCENARIO).context("the intruder's scenario is none")?;
    // What keeps it from what root may do is to be the platform, and not the user that it runs as.
    let needs = Needs { user: Some("root".into()), ..Needs::default() };
    let implementations = vec![Implementation { needs, ..workspace(INTRUDER) }];
    Ok(Intruder(Service { name: INTRUDER.into(), scenario, implementations }))
}

/// An implementation that the workspace builds from a folder.
pub fn workspace(folder: &str) -> Implementation {
    let source = Source::Workspace { folder: folder.into() };
    Implementation::of(DEFAULT_IMPLEMENTATION, source)
}
