//! The packages of the workspace, as cargo knows them.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::command::cargo;

/// The workspace.
#[derive(Debug, Deserialize)]
pub struct Workspace {
    /// Its folder.
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    /// The folder of what cargo builds.
    pub target_directory: PathBuf,
    /// Its members.
    pub packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    manifest_path: PathBuf,
    /// What it is built into.
    pub targets: Vec<Target>,
}

/// A library, program, test or benchmark of a package.
#[derive(Debug, Deserialize)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// What it is: `lib`, `bin`, `test`, ...
    pub kind: Vec<String>,
}

impl Workspace {
    /// Reads the workspace of the current folder.
    ///
    /// # Errors
    /// An error if cargo cannot read it.
    pub fn read() -> Result<Self> {
        let mut command = cargo(["metadata", "--format-version=1", "--no-deps", "--offline"]);
        let output = command.stderr(Stdio::inherit()).output().context("cannot start cargo metadata")?;
        ensure!(output.status.success(), "cargo metadata: {}", output.status);
        serde_json::from_slice(&output.stdout).context("cannot understand what cargo metadata prints")
    }

    /// The names of the members below a folder of the workspace.
    pub fn below(&self, folder: &str) -> Vec<&str> {
        let folder = self.root.join(folder);
        let packages = self.packages.iter().filter(|package| package.manifest_path.starts_with(&folder));
        packages.map(|package| package.name.as_str()).collect()
    }

    /// A member by its name.
    ///
    /// # Errors
    /// An error if there is none of that name.
    pub fn package(&self, name: &str) -> Result<&Package> {
        let found = self.packages.iter().find(|package| package.name == name);
        found.with_context(|| format!("the workspace has no package `{name}`; is it a member in Cargo.toml?"))
    }
}

/// Selects packages for cargo: `-p NAME` for each.
pub fn select<'a>(names: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    names.into_iter().flat_map(|name| ["-p", name])
}
