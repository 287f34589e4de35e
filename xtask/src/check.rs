//! Formatting and lints.

use anyhow::Result;

use crate::command::{cargo, step};
use crate::workspace::{Workspace, select};

/// The compilers of the hosts are features: without them, half of the hosts' code would not be linted.
const FEATURES: &str = "tare-host-wasmtime/compiler,tare-host-wasmer/compiler";

/// The guest that the tests of the hosts run. It is a component and nothing else.
const GUEST: &str = "tare-host-guest";

/// Checks the formatting, then lints everything for the host, and for the Wasm targets what is built for them.
///
/// # Errors
/// An error if one of the steps fails.
pub fn run(workspace: &Workspace) -> Result<()> {
    step("formatting", cargo(["fmt", "--all", "--check"]))?;
    lint("lints on the host", &["--workspace", "--all-targets", "--features", FEATURES])?;

    let services: Vec<&str> = select(workspace.below("services")).collect();
    let components: Vec<&str> = select([GUEST]).chain(services.iter().copied()).collect();
    lint("lints of components", &[&components[..], &["--target", "wasm32-wasip2"]].concat())?;
    // Controls are built from the services in two other forms.
    let direct = ["--target", "wasm32-wasip2", "--features", "service-kit/direct"];
    lint("lints of components without wasi:http", &[&services[..], &direct].concat())?;
    lint("lints of WASI 0.1 programs", &[&services[..], &["--target", "wasm32-wasip1"]].concat())
}

/// Runs clippy; a warning is an error.
fn lint(name: &str, args: &[&str]) -> Result<()> {
    step(name, cargo([&["clippy"], args, &["--", "-D", "warnings"]].concat()))
}
