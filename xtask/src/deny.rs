//! The check of dependencies, by cargo-deny.

use std::process::Stdio;

use anyhow::Result;

use crate::command::{cargo, skip, step};
use crate::workspace::Workspace;

/// Checks licences, versions and sources of all dependencies against deny.toml.
///
/// Known vulnerabilities are not checked: their database is not on crates.io, and what is found there changes without a
/// change of the code.
///
/// # Errors
/// An error if a dependency is not allowed, or in CI if cargo-deny is missing.
pub fn run(workspace: &Workspace) -> Result<()> {
    let version = cargo(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        return skip("licences, versions and sources", "cargo-deny is missing", "run scripts/setup --tests");
    }
    let mut command = cargo(["deny", "check", "licenses", "bans", "sources"]);
    command.current_dir(&workspace.root);
    step("licences, versions and sources", command)
}
