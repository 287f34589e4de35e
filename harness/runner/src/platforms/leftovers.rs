//! What containers without an engine leave where their starter was killed: cgroups, and folders of its state. Both are
//! named after the harness whose containers they are of, so that nothing of a living one is touched.

use std::collections::BTreeSet;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use fs_err as fs;
use nix::unistd::Uid;

use crate::sys::cgroup;
use crate::sys::owner::{Owner, me};
use crate::workload::Layout;

/// How long the processes of a killed container may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is before the owner in the names.
const PREFIX: &str = "tare-";

/// The cgroup that holds those of this process's containers, as a path from the top of each hierarchy.
pub fn cgroup() -> String {
    name(me())
}

/// Where the starter keeps what it must know of this process's containers.
pub fn state(layout: &Layout) -> PathBuf {
    states(layout).join(name(me()))
}

fn states(layout: &Layout) -> PathBuf {
    layout.work.join("oci-state")
}

fn name(owner: Owner) -> String {
    format!("{PREFIX}{owner}")
}

fn owner(name: &str) -> Option<Owner> {
    name.strip_prefix(PREFIX)?.parse().ok()
}

/// Removes what is left of these owners; tells of it. Their starters must have been killed.
///
/// # Errors
/// A process does not end, or the disk refuses.
pub fn remove(layout: &Layout, is_one: impl Fn(Owner) -> bool) -> anyhow::Result<Vec<String>> {
    // Nobody else can have had such containers.
    if !Uid::effective().is_root() {
        return Ok(Vec::new());
    }
    let mut removed = BTreeSet::new();
    for root in cgroup::roots()? {
        for (owner, cgroup) in of(&root, &is_one)? {
            remove_cgroup(&cgroup).context("a cgroup is left")?;
            removed.insert(format!("cgroups of process {}", owner.pid));
        }
    }
    for (owner, folder) in of(&states(layout), &is_one)? {
        gone(fs::remove_dir_all(folder))?;
        removed.insert(format!("state of containers of process {}", owner.pid));
    }
    Ok(removed.into_iter().collect())
}

/// The folders that are named after one of these owners.
fn of(dir: &Path, is_one: impl Fn(Owner) -> bool) -> Result<Vec<(Owner, PathBuf)>> {
    let owned = folders(dir)?.into_iter().filter_map(|path| Some((owner(path.file_name()?.to_str()?)?, path)));
    Ok(owned.filter(|(owner, _)| is_one(*owner)).collect())
}

fn folders(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}

/// Removes a cgroup and those in it, whose files cannot be removed and need not be.
fn remove_cgroup(cgroup: &Path) -> Result<()> {
    for child in folders(cgroup)? {
        remove_cgroup(&child)?;
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        match gone(fs::remove_dir(cgroup)) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

/// Somebody else may remove the same.
fn gone(removed: std::result::Result<(), Error>) -> Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_owner() {
        assert_eq!(owner(&name(me())), Some(me()));
        for other in ["tare", "tare-", "tare-1", "tare-x-1", "docker", "tare-1-2-3", "tare-1-2-3-4-5"] {
            assert_eq!(owner(other), None, "{other}");
        }
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "a test that did not run must not look like one that passed")]
    fn only_what_is_named_after_these_owners_is_removed() {
        if !Uid::effective().is_root() {
            eprintln!("\n*** SKIPPED: what dead containers left is removed by root only\n");
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::checkout(root.path());
        let dead = Owner { pid: 1, start: u64::MAX, ..me() };
        let folders = [states(&layout).join(name(dead)), state(&layout), states(&layout).join("other")];
        for folder in &folders {
            fs::create_dir_all(folder.join("0/bundle")).unwrap();
        }
        assert_eq!(remove(&layout, |owner| owner == dead).unwrap(), ["state of containers of process 1"]);
        assert_eq!(folders.map(|folder| folder.exists()), [false, true, true]);
        assert_eq!(remove(&layout, |owner| owner == dead).unwrap(), [""; 0]);
    }

    #[test]
    fn a_cgroup_is_removed_with_those_in_it() {
        let root = tempfile::tempdir().unwrap();
        let cgroup = root.path().join("tare-1-2");
        fs::create_dir_all(cgroup.join("0/inner")).unwrap();
        remove_cgroup(&cgroup).unwrap();
        remove_cgroup(&cgroup).unwrap();
        assert!(!cgroup.exists());
    }
}
