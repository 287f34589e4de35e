//! The folder of a run: what the runtime keeps on disk while a container runs.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fs_err as fs;
use libcontainer::oci_spec::runtime::Spec;

const BUNDLE: &str = "bundle";

/// The folder `STATE/ID`, which goes when this does. Where this process is killed, whoever gave it the id removes the
/// folder and the cgroup of that name.
pub(crate) struct State {
    dir: PathBuf,
}

impl State {
    /// Makes the folder, as the only one that may.
    pub(crate) fn claim(state: &Path, id: &str) -> Result<Self> {
        let unusable = "--state must be a directory that can be written to";
        fs::create_dir_all(state).context(unusable)?;
        let dir = fs::canonicalize(state)?.join(id);
        match fs::create_dir(&dir) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
                "{} exists: a container of this id runs, or its runtime was killed: choose another id, or remove the folder",
                dir.display()
            ),
            Err(error) => return Err(error).context(unusable),
        }
        let state = Self { dir };
        fs::create_dir(state.dir.join(BUNDLE))?;
        Ok(state)
    }

    /// Where the library keeps its own state.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes the container's description where the library reads it; gives the folder.
    pub(crate) fn bundle(&self, spec: &Spec) -> Result<PathBuf> {
        let bundle = self.dir.join(BUNDLE);
        let spec = serde_json::to_vec(spec).context("the container's description is no JSON")?;
        fs::write(bundle.join("config.json"), spec)?;
        Ok(bundle)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}
