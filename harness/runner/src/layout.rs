//! Where things are in a checkout.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::scenario::Scenario;

/// The folders of a checkout.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The root of the checkout.
    pub root: PathBuf,
}

/// A service as it stands under services/.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name: its folder's.
    pub name: String,
    /// Its requests and right answers.
    pub scenario: Scenario,
}

impl Layout {
    /// Finds the checkout that holds the current directory.
    pub fn find() -> Result<Self> {
        let here = std::env::current_dir().context("cannot read the current directory")?;
        let is_root = |dir: &&Path| dir.join("services").is_dir() && dir.join("harness/runner").is_dir();
        match here.ancestors().find(is_root) {
            Some(root) => Ok(Self { root: root.into() }),
            None => bail!("{} is not inside a checkout of this project: change into one", here.display()),
        }
    }

    /// What the harness makes beside cargo's own output: components compiled ahead, logs.
    pub fn work(&self) -> PathBuf {
        self.root.join("target/tare")
    }

    /// Logs of builds and of measured processes.
    pub fn logs(&self) -> PathBuf {
        self.work().join("logs")
    }

    /// The runs.
    pub fn results(&self) -> PathBuf {
        self.root.join("results")
    }

    /// The rendered reports.
    pub fn reports(&self) -> PathBuf {
        self.root.join("reports")
    }

    /// The claims to judge.
    pub fn claims(&self) -> PathBuf {
        self.root.join("claims.toml")
    }

    /// A path relative to the root where it is under it, for records and messages.
    pub fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// The services: every folder under services/ that has a scenario, by name.
    pub fn services(&self) -> Result<Vec<Service>> {
        let mut services = Vec::new();
        for entry in fs_err::read_dir(self.root.join("services"))? {
            let folder = entry?.path();
            let file = folder.join("scenario.toml");
            if !file.is_file() {
                continue;
            }
            let name = folder.file_name().and_then(|name| name.to_str()).context("a service's name must be UTF-8")?;
            services.push(Service { name: name.into(), scenario: Scenario::load(&file)? });
        }
        services.sort_by(|a, b| a.name.cmp(&b.name));
        if services.is_empty() {
            bail!("no folder under {} has a scenario.toml", self.root.join("services").display());
        }
        Ok(services)
    }
}
