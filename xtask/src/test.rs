//! Tests: the fast ones, and all.

use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{cargo, skip, step};
use crate::workspace::{Workspace, select};

/// Arguments of `cargo xtask test-all`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only compile the tests
    #[arg(long)]
    no_run: bool,
}

/// Packages whose tests build or link a Wasm runtime, or build the products. All others are fast, new ones too.
const SLOW: &[&str] =
    &["tare", "tare-fuzz", "tare-host", "tare-host-guest", "tare-host-wasix", "tare-host-wasmer", "tare-host-wasmtime"];

/// Starts containers without an engine, and links libseccomp.
const OCI: &str = "tare-oci";

/// Its unit tests are fast; its integration tests use the container engine and build the products.
const RUNNER: &str = "tare-runner";

/// The report's test that opens the page in a browser.
const BROWSER: &str = "browser::";

/// Runs the tests that need no Wasm runtime, no container engine, no browser and no build of the products.
///
/// # Errors
/// An error if a test fails.
pub fn fast(workspace: &Workspace) -> Result<()> {
    let slow = |name: &str| SLOW.contains(&name) || name == OCI || name == RUNNER;
    let fast = workspace.packages.iter().map(|package| package.name.as_str()).filter(|name| !slow(name));
    let args = ["test"].into_iter().chain(select(fast)).chain(["--", "--skip", BROWSER]);
    step("fast tests", cargo(args))?;
    step("fast tests of the runner", cargo(["test", "-p", RUNNER, "--lib"]))
}

/// Runs all tests.
///
/// # Errors
/// An error if a test fails, or in CI if something that a test needs is missing.
pub fn all(how: &Args) -> Result<()> {
    // The hosts' tests build and run the real programs themselves, this one among them; it has no tests of its own.
    let mut args = vec!["test", "--workspace", "--exclude", "tare-host-wasix", "--features", "tare-host-wasmer/reader"];
    if !has_seccomp()? {
        let why = "libseccomp's development files are missing";
        skip("the tests of containers without an engine", why, "install libseccomp-dev or libseccomp-devel")?;
        args.extend(["--exclude", OCI]);
    }
    let name = if how.no_run {
        args.push("--no-run");
        "compiling all tests"
    } else {
        "all tests"
    };
    step(name, cargo(args))
}

/// Whether programs can be linked with libseccomp here.
fn has_seccomp() -> Result<bool> {
    let output = Command::new("cc").arg("-print-file-name=libseccomp.so").output();
    let output = output.context("cannot start the C compiler `cc`; scripts/setup installs one")?;
    // A compiler that does not find the file returns the name as it was.
    Ok(output.stdout.trim_ascii() != b"libseccomp.so")
}
