//! `init`: a commented `service.toml` that runs as it is.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};
use fs_err as fs;
use tare_model::check_name;
use tare_scaffold::{Options, Scaffold, service_toml};

use crate::args::InitArgs;
use crate::exit::Exit;
use crate::screen::{print, say};

/// The name of the file.
const FILE: &str = "service.toml";

/// Runs it.
///
/// # Errors
/// There is such a file already, the description cannot be used, or the disk refuses.
pub fn execute(args: &InitArgs) -> Result<Exit> {
    let file = args.path.join(FILE);
    ensure!(!file.exists(), "{} is there already: remove it, or name another folder", file.display());
    let folder = std::path::absolute(&args.path).context("cannot tell where the folder is")?;
    let name = name(&folder)?;
    let openapi = args.openapi.as_ref().map(fs::read_to_string).transpose()?;
    // What is named from here is read from the file's folder.
    let component = args.component.as_deref().map(|file| seen_from(&folder, file)).transpose()?;
    let program = args.program.as_deref().map(|command| {
        let (first, rest) =
            command.split_once(' ').map_or((command, String::new()), |(first, rest)| (first, format!(" {rest}")));
        Ok::<_, anyhow::Error>(if first.contains('/') {
            seen_from(&folder, first)? + &rest
        } else {
            command.to_owned()
        })
    });
    let program = program.transpose()?;
    let options = Options {
        name: &name,
        openapi: openapi.as_deref(),
        get: &args.get,
        component: component.as_deref(),
        program: program.as_deref(),
        image: args.image.as_deref(),
        port: args.port,
    };
    let described = || args.openapi.as_ref().map_or_else(String::new, |file| file.display().to_string());
    let Scaffold { text, left_out } = service_toml(&options).with_context(described)?;
    fs::create_dir_all(&args.path)?;
    fs::write(&file, text)?;
    for operation in left_out {
        say(&format!("left out: {operation}"));
    }
    print(&format!("{}\n", file.display()))?;
    say(&format!(
        "next: edit it, then `tare doctor --service {0}` and `tare compare --service {0}`",
        args.path.display()
    ));
    Ok(Exit::Done)
}

/// A file that is named from the current folder, as it is named from another; as it is where it is not there yet.
fn seen_from(folder: &Path, file: &str) -> Result<String> {
    let here = std::env::current_dir().context("cannot read the current directory")?;
    if folder == here || !here.join(file).exists() {
        return Ok(file.to_owned());
    }
    Ok(relative(&fs::canonicalize(here.join(file))?, folder).display().to_string())
}

/// A path as seen from a folder, which need not be there yet: a file that is committed must not name the folders of one machine.
fn relative(path: &Path, folder: &Path) -> PathBuf {
    let there = folder.ancestors().find_map(|there| Some((there, fs::canonicalize(there).ok()?)));
    let folder = there.map_or_else(
        || folder.to_owned(),
        |(there, real)| real.join(folder.strip_prefix(there).unwrap_or(Path::new(""))),
    );
    let common = path.components().zip(folder.components()).take_while(|(one, other)| one == other).count();
    let up = folder.components().skip(common).map(|_| Component::ParentDir);
    up.chain(path.components().skip(common)).collect()
}

/// The service's name: its folder's, made fit for one.
fn name(folder: &Path) -> Result<String> {
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let plain = |char: char| if char.is_ascii_lowercase() || char.is_ascii_digit() { char } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let name = name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    check_name(&name)
        .map_err(anyhow::Error::msg)
        .context("the folder's name makes no service's: use another folder")?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_as_it_is_seen_from_the_folder() {
        let relative = |path: &str, folder: &str| relative(Path::new(path), Path::new(folder)).display().to_string();
        assert_eq!(relative("/proc/cart.wasm", "/proc/cart"), "../cart.wasm");
        assert_eq!(relative("/proc/a/b/cart.wasm", "/proc/a"), "b/cart.wasm");
        assert_eq!(relative("/sys/cart.wasm", "/proc/a/b"), "../../../sys/cart.wasm");
    }
}
