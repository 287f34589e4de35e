//! The folder of a run: what the runtime keeps on disk while a container runs.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fs_err as fs;
use libcontainer::oci_spec::runtime::Spec;

/// Locked for as long as the runtime lives, whatever ends it: unlike a number of a process, a lock is never another's.
const LOCK: &str = "lock";
const BUNDLE: &str = "bundle";

/// The folder `STATE/ID`, which goes when this does.
pub(crate) struct State {
    dir: PathBuf,
    _lock: File,
}

impl State {
    /// Makes the folder, as the only one that may.
    pub(crate) fn claim(state: &Path, id: &str) -> Result<Self> {
        fs::create_dir_all(state).context("--state must be a directory that can be written to")?;
        let state = fs::canonicalize(state)?;
        let dir = state.join(id);
        match fs::create_dir(&dir) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
                "{} exists: a container of this id runs, or was killed: choose another, or `tare-oci clean --state {}`",
                dir.display(),
                state.display()
            ),
            Err(error) => return Err(error).context("--state must be a directory that can be written to"),
        }
        let lock = fs::File::create(dir.join(LOCK))?.into_parts().0;
        lock.lock().with_context(|| format!("{} cannot be locked", dir.join(LOCK).display()))?;
        fs::create_dir(dir.join(BUNDLE))?;
        Ok(Self { dir, _lock: lock })
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
        // What is left is found by `clean`.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Removes the folders of runtimes that live no more.
pub(crate) fn remove_dead(state: &Path) -> Result<()> {
    let entries = match fs::read_dir(state) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).context("--state must be a directory that can be read"),
    };
    for entry in entries {
        let dir = entry?.path();
        // Where there is no lock, it is not the folder of a run, or not yet.
        let dead = File::open(dir.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if dead {
            fs::remove_dir_all(&dir)?;
        }
    }
    Ok(())
}
