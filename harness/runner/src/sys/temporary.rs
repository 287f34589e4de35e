//! Folders under the machine's temporary folder that are named after who made them: what a killed harness leaves, the next one
//! removes.

use std::io::Result;
use std::path::Path;

use fs_err as fs;
use tempfile::TempDir;

use super::owner::{Owner, me};

/// What is before the owner in the names.
const PREFIX: &str = "tare-";

/// What is between the owner and the part of a name that nobody can foresee.
const END: char = '.';

/// A new folder of this process, which goes when it is dropped.
///
/// # Errors
/// The machine's temporary folder takes none.
pub fn folder() -> Result<TempDir> {
    tempfile::Builder::new().prefix(&format!("{PREFIX}{}{END}", me())).tempdir()
}

/// Removes the folders of these owners. Returns their number; what cannot be removed is left for the next time.
pub fn remove(is_one: impl Fn(Owner) -> bool) -> usize {
    remove_in(&tempfile::env::temp_dir(), is_one)
}

fn remove_in(temporary: &Path, is_one: impl Fn(Owner) -> bool) -> usize {
    let entries = fs::read_dir(temporary).into_iter().flatten().filter_map(Result::ok);
    let owned = entries.filter(|entry| {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        is_folder && entry.file_name().to_str().and_then(owner).is_some_and(&is_one)
    });
    owned.filter(|entry| fs::remove_dir_all(entry.path()).is_ok()).count()
}

fn owner(name: &str) -> Option<Owner> {
    name.strip_prefix(PREFIX)?.split_once(END)?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_the_dead_are_removed() {
        let temporary = tempfile::tempdir().unwrap();
        let dead = Owner { start: 1, ..me() };
        let [of_dead, of_living, other] =
            [format!("tare-{dead}.a"), format!("tare-{}.b", me()), "tare-installed".to_owned()]
                .map(|name| temporary.path().join(name));
        for folder in [&of_dead, &of_living, &other] {
            fs::create_dir(folder).unwrap();
        }
        // Somebody else may put a link in the place of a folder.
        std::os::unix::fs::symlink(&other, temporary.path().join(format!("tare-{dead}.c"))).unwrap();
        assert_eq!(remove_in(temporary.path(), Owner::is_dead), 1);
        assert!(!of_dead.exists() && of_living.exists() && other.exists());
    }

    #[test]
    fn a_folder_tells_whose_it_is_and_goes_with_its_drop() {
        let folder = folder().unwrap();
        let path = folder.path().to_owned();
        assert_eq!(owner(path.file_name().unwrap().to_str().unwrap()), Some(me()));
        drop(folder);
        assert!(!path.exists());
    }
}
