//! The archive that runs on a machine without Rust: the program, and all that it measures with.

use std::path::{Path, PathBuf, absolute};

use anyhow::Result;
use fs_err as fs;

use crate::archive;
use crate::command::{cargo, say, step};
use crate::elf::Needs;
use crate::workspace::Workspace;

/// The package of the program.
const PACKAGE: &str = "tare";

/// Arguments of `cargo xtask dist`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only what these platforms, or variants as PLATFORM/VARIANT, take; `headline` stands for what the suite `quick` measures
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    platform: Vec<String>,
    /// The folder to write into, instead of dist/ among what cargo builds
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Makes the archive and its checksum, and prints how large it is and what it needs.
///
/// # Errors
/// An error if something does not build, or a file cannot be written.
pub fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let usual = workspace.target_directory.join("dist");
    make(workspace, &args.platform, args.out.as_deref().unwrap_or(&usual)).map(drop)
}

/// Makes the archive in a folder, of what these platforms take; of all if there are none. Returns its file.
///
/// # Errors
/// An error if something does not build, or a file cannot be written.
pub fn make(workspace: &Workspace, platforms: &[String], out: &Path) -> Result<PathBuf> {
    let name = format!("tare-{}-{}", workspace.package(PACKAGE)?.version, std::env::consts::ARCH);
    let out = absolute(out)?;
    fs::create_dir_all(&out)?;
    let parent = tempfile::Builder::new().prefix(".pack-").tempdir_in(&out)?;
    let folder = parent.path().join(&name);
    let mut pack = cargo(["run", "--release", "--package", PACKAGE, "--", "pack"]);
    pack.arg(&folder).current_dir(&workspace.root);
    if !platforms.is_empty() {
        pack.args(["--platform", &platforms.join(",")]);
    }
    step("building what the archive holds", pack)?;
    let needs = Needs::of(&folder)?;
    let file = out.join(format!("{name}.tar.gz"));
    archive::write(&folder, &name, &file)?;
    let (packed, unpacked) = (megabytes(fs::metadata(&file)?.len()), megabytes(total(&folder)?));
    say(&format!("\n{}: {packed}, unpacked {unpacked}", file.display()));
    say(&format!("it runs on Linux on {} with {needs}", std::env::consts::ARCH));
    Ok(file)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// The size of all files below a folder, in bytes.
fn total(folder: &Path) -> Result<u64> {
    let sizes = archive::entries(folder)?.into_iter().filter(|path| path.is_file()).map(fs::metadata);
    sizes.map(|metadata| Ok(metadata?.len())).sum()
}
