//! What the C compiler has to link with.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the C compiler has a library; `None` where it has none of this name.
///
/// # Errors
/// There is no C compiler.
pub fn library(name: &str) -> std::io::Result<Option<PathBuf>> {
    let output = Command::new("cc").arg(format!("-print-file-name={name}")).output()?;
    // What the compiler does not find it gives back as it was asked for.
    let file = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(Path::new(&file).canonicalize().ok().filter(|_| file != name))
}
