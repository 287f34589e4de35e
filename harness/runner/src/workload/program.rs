//! Finding a program that somebody names.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Finds a program as a shell would: by its path, relative to a folder, or by its name in PATH.
///
/// # Errors
/// There is none.
pub fn find_program(name: &str, folder: &Path) -> Result<PathBuf> {
    if name.contains('/') {
        let path = folder.join(name);
        return fs_err::canonicalize(&path)
            .with_context(|| format!("there is no program `{name}` in {}", folder.display()));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
    found.with_context(|| {
        format!("there is no program `{name}` in PATH; one in {} is called as `./{name}`", folder.display())
    })
}
