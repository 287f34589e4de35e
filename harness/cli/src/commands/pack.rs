//! `pack`: a folder from which this program runs on a machine without Rust and outside of a checkout.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use fs_err as fs;
use tare_model::Role;
use tare_runner::artifacts::archive;
use tare_runner::platforms::variants;
use tare_runner::workload::LIBRARY;
use tare_runner::{Broken, Layout};

use crate::args::PackArgs;
use crate::exit::Exit;
use crate::machine;
use crate::progress::Steps;
use crate::screen::say;

/// What the library has of a checkout as it is.
const COPIED: &[&str] = &["claims.toml", "containers", "LICENSE-APACHE", "LICENSE-MIT"];

/// What stands beside the library: what users read.
const DOCUMENTS: &[&str] =
    &["README.md", "METHODOLOGY.md", "EXPERIMENTS.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"];

/// What it has of a service's folder.
const OF_A_SERVICE: &[&str] = &["service.toml", "scenario.toml"];

/// What stands, among names of platforms, for all variants that are neither a setting nor a control: those of the shortest
/// suite.
const HEADLINES: &str = "headline";

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
    let (services, broken) = layout.services()?;
    if let Some(Broken { name, error }) = broken.into_iter().next() {
        return Err(error.context(format!("the service `{name}` cannot be used, and an archive has all of them")));
    }
    let _alone = machine::take().await?;
    let mut steps = Steps::default();
    let progress = |what: &str| {
        let step = what.split_once(": ").map_or(what, |(step, _)| step);
        if steps.is_new(step, what) {
            say(&format!("build: {step}"));
        }
    };
    let products = tare_runner::build_all(&layout, &names(&args.platform), progress).await?;
    fs::create_dir_all(&library)?;
    archive::write(&library, &products, layout.provenance())?;
    for name in COPIED {
        copy(&layout.root.join(name), &library.join(name))?;
    }
    for service in services {
        let (from, to) =
            (layout.root.join("services").join(&service.name), library.join("services").join(&service.name));
        fs::create_dir_all(&to)?;
        for name in OF_A_SERVICE.iter().filter(|name| from.join(name).is_file()) {
            fs::copy(from.join(name), to.join(name))?;
        }
    }
    for name in DOCUMENTS {
        fs::copy(layout.root.join(name), args.out.join(name))?;
    }
    let bin = args.out.join("bin");
    fs::create_dir_all(&bin)?;
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    fs::copy(program, bin.join("tare"))?;
    say(&format!("packed into {}: run {}", args.out.display(), bin.join("tare").display()));
    Ok(Exit::Done)
}

/// The names of platforms and variants, with [`HEADLINES`] replaced by what it stands for.
fn names(given: &[String]) -> Vec<String> {
    let headlines = || variants().map(|(_, variant)| variant.entry()).filter(|entry| entry.role == Role::Headline);
    let names = given.iter().flat_map(|name| {
        if name == HEADLINES { headlines().map(|entry| entry.id().to_string()).collect() } else { vec![name.clone()] }
    });
    names.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_stands_for_what_the_shortest_suite_measures() {
        let names = names(&["wasmtime/direct".into(), HEADLINES.into()]);
        assert_eq!(names[0], "wasmtime/direct");
        let has = |name: &str| names[1..].iter().any(|known| known == name);
        assert!(has("native/process") && has("wasmtime/jit") && has("docker/debian"), "{names:?}");
        assert!(!has("wasmtime/direct") && !has("wasmtime/no-cow") && !has("native/again"), "{names:?}");
        assert_eq!(super::names(&[]), [""; 0], "no name is all of them");
    }
}
