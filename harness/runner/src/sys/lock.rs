//! One measurement at a time on a machine: two beside each other halve each other's figures, and both call them right.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file that is locked: one for all users and checkouts of the machine. It stays, so that nobody locks one that somebody
/// else has just removed.
const FILE: &str = "/tmp/tare.lock";

/// The right to measure, to build and to clean on this machine. It ends with its process, however that ends.
#[derive(Debug)]
pub struct MachineLock {
    _file: File,
}

/// Who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Its process id; `None` where it cannot be seen from here.
    pub pid: Option<i32>,
}

impl MachineLock {
    /// Takes it, if nobody has it.
    ///
    /// # Errors
    /// The file cannot be made or opened.
    pub fn try_take() -> Result<std::result::Result<Self, Holder>> {
        try_take(Path::new(FILE))
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid}"),
            None => f.write_str("a process that cannot be seen from here"),
        }
    }
}

fn try_take(path: &Path) -> Result<std::result::Result<MachineLock, Holder>> {
    let named = |error: Error| Error::new(error.kind(), format!("the lock {}: {error}", path.display()));
    let file = open(path).map_err(named)?;
    match file.try_lock() {
        Ok(()) => Ok(Ok(MachineLock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(Err(Holder { pid: holder(&file).ok().flatten() })),
        Err(TryLockError::Error(error)) => Err(named(error)),
    }
}

/// Opens the file, which is made where it is not there. A link is not followed, and another user's file is locked as well as
/// one's own: reading is enough for that.
fn open(path: &Path) -> Result<File> {
    let flags = (nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK).bits();
    let existing = || OpenOptions::new().read(true).custom_flags(flags).open(path);
    match existing() {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => return opened,
    }
    // Others must be able to open it, whatever the umask of who came first.
    match OpenOptions::new().write(true).create_new(true).mode(0o644).open(path) {
        Ok(file) => {
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
            Ok(file)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => existing(),
        Err(error) => Err(error),
    }
}

/// The process that has locked a file, by `proc_locks(5)`: `1: FLOCK  ADVISORY  WRITE 42 fe:00:1234 0 EOF`.
fn holder(file: &File) -> Result<Option<i32>> {
    let inode = file.metadata()?.ino().to_string();
    let locks = fs_err::read_to_string(PathBuf::from("/proc/locks"))?;
    Ok(locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, pid, of, ..] = fields[..] else { return None };
        let is_it = of.rsplit(':').next() == Some(inode.as_str());
        pid.parse().ok().filter(|pid| is_it && *pid > 0)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_and_the_others_learn_who() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = try_take(&path).unwrap().unwrap();
        let holder = try_take(&path).unwrap().unwrap_err();
        assert_eq!(holder.pid, Some(std::process::id().cast_signed()));
        drop(first);
        try_take(&path).unwrap().unwrap();
    }

    #[test]
    fn a_link_or_a_folder_in_its_place_is_told_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("lock"), folder.path().join("target"));
        std::os::unix::fs::symlink(&target, &path).unwrap();
        let error = try_take(&path).unwrap_err().to_string();
        assert!(error.contains("lock") && !target.exists(), "{error}");
    }
}
