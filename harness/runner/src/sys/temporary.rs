//! Folders that are named after who made them: what a killed harness leaves, the next one removes.

use std::io::Result;
use std::path::Path;

use fs_err as fs;
use tempfile::TempDir;

use super::owner::{Owner, me};

/// What is before the owner in the names.
const PREFIX: &str = "tare-";

/// What is between the owner and the part of a name that nobody can foresee.
const END: char = '.';

/// A new folder of this process under the machine's temporary folder, which goes when it is dropped.
///
/// # Errors
/// The machine's temporary folder takes none.
pub fn folder() -> Result<TempDir> {
    tempfile::Builder::new().prefix(&format!("{PREFIX}{}{END}", me())).tempdir()
}

/// The same under another folder, where it is hidden from whoever lists that.
///
/// # Errors
/// That folder takes none.
pub fn folder_in(parent: &Path) -> Result<TempDir> {
    tempfile::Builder::new().prefix(&format!(".{PREFIX}{}{END}", me())).tempdir_in(parent)
}

/// Removes the folders of these owners under the machine's temporary folder. Returns their number; what cannot be removed is left
/// for the next time.
pub fn remove(is_one: impl Fn(Owner) -> bool) -> usize {
    remove_in(&tempfile::env::temp_dir(), is_one)
}

/// The same under another folder.
pub fn remove_in(parent: &Path, is_one: impl Fn(Owner) -> bool) -> usize {
    let entries = fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    let owned = entries.filter(|entry| {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        is_folder && entry.file_name().to_str().and_then(owner).is_some_and(&is_one)
    });
    owned.filter(|entry| fs::remove_dir_all(entry.path()).is_ok()).count()
}

fn owner(name: &str) -> Option<Owner> {
    let name = name.strip_prefix('.').unwrap_or(name);
    name.strip_prefix(PREFIX)?.split_once(END)?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_the_dead_are_removed() {
        let temporary = tempfile::tempdir().unwrap();
        let dead = Owner { start: 1, ..me() };
        let names = [format!("tare-{dead}.a"), format!(".tare-{dead}.b")];
        let [of_dead, hidden] = names.map(|name| temporary.path().join(name));
        let names = [format!("tare-{}.b", me()), "tare-installed".to_owned()];
        let [of_living, other] = names.map(|name| temporary.path().join(name));
        for folder in [&of_dead, &hidden, &of_living, &other] {
            fs::create_dir(folder).unwrap();
        }
        // Somebody else may put a link in the place of a folder.
        std::os::unix::fs::symlink(&other, temporary.path().join(format!("tare-{dead}.c"))).unwrap();
        assert_eq!(remove_in(temporary.path(), Owner::is_dead), 2);
        assert!(!of_dead.exists() && !hidden.exists() && of_living.exists() && other.exists());
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
