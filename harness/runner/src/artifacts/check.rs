//! Whether a host can run a component that somebody brings, before anything is compiled or started.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use tare_component::{Effect, Granted, Inspected, Problem, inspect, problems};

use super::given::read_component;
use super::product::Runtime;
use crate::workload::Needs;

/// What a component is, and what keeps it from running on a host or from all that it asks for.
///
/// # Errors
/// The file is no component, or cannot be read.
pub fn component_problems(
    file: &Path,
    runtime: Runtime,
    needs: &Needs,
    memory_bytes: u64,
) -> Result<(Inspected, Vec<Problem>)> {
    let bytes = read_component(file)?;
    let inspected = inspect(&bytes).with_context(|| file.display().to_string())?;
    let host = match runtime {
        Runtime::Wasmtime => tare_component::Runtime::Wasmtime,
        Runtime::Wasmer | Runtime::Wasix => tare_component::Runtime::Wasmer,
    };
    let granted = Granted {
        servers: !needs.outgoing.is_empty(),
        folders: !needs.folders.is_empty(),
        memory_bytes: Some(memory_bytes),
        ..Granted::default()
    };
    let found = problems(&inspected, host, &granted);
    Ok((inspected, found))
}

/// Fails where a host does not serve a component.
///
/// # Errors
/// All that is in the way, each with what helps.
pub fn refusal(file: &Path, runtime: Runtime, needs: &Needs, memory_bytes: u64) -> Result<()> {
    let (_, problems) = component_problems(file, runtime, needs, memory_bytes)?;
    let refused: Vec<String> =
        problems.iter().filter(|problem| problem.effect == Effect::Refused).map(Problem::to_string).collect();
    ensure!(
        refused.is_empty(),
        "the {} host does not serve {}: {}",
        runtime.name(),
        file.display(),
        refused.join("; ")
    );
    Ok(())
}
