//! What was built or brought, by kind and workload; and why something was not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::product::{Product, Runtime};

/// Everything that is there, and why something is not.
#[derive(Debug, Default)]
pub struct Products {
    files: BTreeMap<(Product, String), PathBuf>,
    failures: BTreeMap<(Product, String), String>,
}

impl Products {
    /// An artifact's file; `workload` is not looked at for the hosts.
    ///
    /// # Errors
    /// Why it is not there.
    pub fn file(&self, product: Product, workload: &str) -> Result<&Path> {
        self.check(product, workload)?;
        match self.files.get(&key(product, workload)) {
            Some(file) => Ok(file),
            None => bail!("{}", self.failure(product, workload)),
        }
    }

    /// What compiles ahead for a runtime.
    ///
    /// # Errors
    /// Why it is not there.
    pub fn compiler(&self, runtime: Runtime) -> Result<&Path> {
        let measured = self.files.get(&key(Product::JitHost(runtime), ""));
        measured.map_or_else(|| self.file(Product::Compiler(runtime), ""), |file| Ok(file))
    }

    /// Makes sure that what an artifact is made by has been run.
    ///
    /// # Errors
    /// Why it failed.
    pub fn check(&self, product: Product, workload: &str) -> Result<()> {
        if self.failures.contains_key(&key(product, workload)) {
            bail!("{}", self.failure(product, workload))
        }
        Ok(())
    }

    fn failure(&self, product: Product, workload: &str) -> String {
        let key = key(product, workload);
        let reason = self.failures.get(&key).map_or("it was not asked for", String::as_str);
        format!("{} ({}) could not be made: {reason}", key.1, product.label())
    }

    /// Every file, with its kind and workload.
    pub fn files(&self) -> impl Iterator<Item = (Product, &str, &Path)> {
        self.files.iter().map(|((product, workload), file)| (*product, workload.as_str(), file.as_path()))
    }

    /// Every failure, with its kind and workload.
    pub fn failures(&self) -> impl Iterator<Item = (Product, &str, &str)> {
        self.failures.iter().map(|((product, workload), reason)| (*product, workload.as_str(), reason.as_str()))
    }

    pub(super) fn put(&mut self, product: Product, workload: &str, file: PathBuf) {
        self.files.insert(key(product, workload), file);
    }

    pub(super) fn fail(&mut self, product: Product, workload: &str, reason: String) {
        self.failures.insert(key(product, workload), reason);
    }
}

fn key(product: Product, workload: &str) -> (Product, String) {
    (product, product.folder().unwrap_or(workload).to_owned())
}
