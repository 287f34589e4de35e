//! Files of a subject's own.
//!
//! The kernel keeps the pages of a file once for all who have it mapped, and proportional set size divides them among these. Where
//! somebody else on the machine runs the same file, a subject would look smaller than it is; with a copy it does not.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fs_err as fs;
use tempfile::TempDir;

use crate::sys::temporary;
use crate::workload::Layout;

/// Copies of files, which go when it is dropped.
pub struct Private(TempDir);

impl Private {
    /// None yet.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn new(layout: &Layout) -> Result<Self> {
        let parent = folder(layout);
        fs::create_dir_all(&parent)?;
        let copies = temporary::folder_in(&parent)?;
        // Subjects run as nobody where they can.
        fs::set_permissions(copies.path(), Permissions::from_mode(0o755))?;
        Ok(Self(copies))
    }

    /// Copies a file, and waits until the copy is on the disk: writing it later would be work beside what is measured.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn copy(&self, file: &Path) -> Result<PathBuf> {
        let copy = self.0.path().join(file.file_name().context("a file has a name")?);
        fs::copy(file, &copy)?;
        fs::File::open(&copy)?.sync_all()?;
        Ok(copy)
    }
}

/// Where copies are, each subject's in a folder that is named after this process.
pub fn folder(layout: &Layout) -> PathBuf {
    layout.work.join("subjects")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_copy_is_another_file_with_the_same_rights_and_goes_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let (layout, file) = (Layout::checkout(folder.path()), folder.path().join("program"));
        fs::write(&file, "code").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
        let private = Private::new(&layout).unwrap();
        let copy = private.copy(&file).unwrap();
        let [one, other] = [&file, &copy].map(|path| fs::metadata(path).unwrap());
        assert_ne!(one.ino(), other.ino());
        assert_eq!((fs::read(&copy).unwrap(), other.mode() & 0o777), (b"code".to_vec(), 0o755));
        assert_eq!(fs::metadata(copy.parent().unwrap()).unwrap().mode() & 0o777, 0o755);
        drop(private);
        assert!(!copy.exists() && file.exists());
    }
}
