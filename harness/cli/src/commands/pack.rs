//! `pack`: a folder from which this program runs on a machine without Rust and outside of a checkout.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use fs_err as fs;
use tare_runner::Layout;
use tare_runner::artifacts::archive;
use tare_runner::workload::LIBRARY;

use crate::args::PackArgs;
use crate::exit::Exit;
use crate::screen::say;

/// What the library has of a checkout as it is.
const COPIED: &[&str] = &["claims.toml", "containers", "LICENSE-APACHE", "LICENSE-MIT"];

/// What it has of a service's folder.
const OF_A_SERVICE: &[&str] = &["service.toml", "scenario.toml"];

/// Runs it.
///
/// # Errors
/// Outside a checkout, where something does not build, or where the disk refuses.
pub async fn execute(args: &PackArgs) -> Result<Exit> {
    let layout = Layout::find()?;
    ensure!(!layout.installed, "this program is in an archive already: make one in a checkout");
    let library = args.out.join(LIBRARY);
    let is_empty = fs::read_dir(&args.out).map_or(true, |mut entries| entries.next().is_none());
    ensure!(is_empty, "{} is not empty: name a new folder", args.out.display());
    let products = tare_runner::build_all(&layout, |what| say(&format!("build: {what}"))).await?;
    fs::create_dir_all(&library)?;
    archive::write(&library, &products, layout.provenance())?;
    for name in COPIED {
        copy(&layout.root.join(name), &library.join(name))?;
    }
    let (services, _) = layout.services()?;
    for service in services {
        let (from, to) =
            (layout.root.join("services").join(&service.name), library.join("services").join(&service.name));
        fs::create_dir_all(&to)?;
        for name in OF_A_SERVICE.iter().filter(|name| from.join(name).is_file()) {
            fs::copy(from.join(name), to.join(name))?;
        }
    }
    let bin = args.out.join("bin");
    fs::create_dir_all(&bin)?;
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    fs::copy(program, bin.join("tare"))?;
    say(&format!("packed into {}: run {}", args.out.display(), bin.join("tare").display()));
    Ok(Exit::Done)
}

/// Copies a file, or a folder with what is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_file() {
        fs::copy(from, to)?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
