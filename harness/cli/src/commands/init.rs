//! `init`: a commented `service.toml` that runs as it is.

use std::path::Path;

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
    fs::create_dir_all(&args.path)?;
    let name = name(&args.path)?;
    let openapi = args.openapi.as_ref().map(fs::read_to_string).transpose()?;
    let options = Options {
        name: &name,
        openapi: openapi.as_deref(),
        component: args.component.as_deref(),
        program: args.program.as_deref(),
        image: args.image.as_deref(),
        port: args.port,
    };
    let described = || args.openapi.as_ref().map_or_else(String::new, |file| file.display().to_string());
    let Scaffold { text, left_out } = service_toml(&options).with_context(described)?;
    fs::write(&file, text)?;
    for operation in left_out {
        say(&format!("left out: {operation}"));
    }
    print(&format!("{}\n", file.display()))?;
    say(&format!("next: edit it, then `doctor --service {0}` and `compare --service {0}`", args.path.display()));
    Ok(Exit::Done)
}

/// The service's name: its folder's, made fit for one.
fn name(folder: &Path) -> Result<String> {
    let folder = fs::canonicalize(folder)?;
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let plain = |char: char| if char.is_ascii_lowercase() || char.is_ascii_digit() { char } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_matches('-').to_owned();
    check_name(&name)
        .map_err(anyhow::Error::msg)
        .context("the folder's name makes no service's: use another folder")?;
    Ok(name)
}
