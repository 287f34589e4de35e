//! The archive in use: unpacked into a new folder outside of the checkout, and run as on a machine without Rust.

use std::collections::BTreeMap;
use std::env;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf, absolute};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use fs_err as fs;

use crate::archive::{checksum_of, entries};
use crate::command::{say, step};
use crate::dist;
use crate::outcome::Outcome;
use crate::workspace::Workspace;

/// What the suite `quick` measures.
const PLATFORMS: &str = "headline";

/// Where programs are found, as on a machine on which nothing was added.
const PATH: &[&str] = &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// What must not be asked for by a program that has all that it measures with.
const ABSENT: &[&str] = &["cargo", "cc", "rustc", "rustup"];

/// A component of the archive, to be measured as one that somebody brings; it needs no settings.
const COMPONENT: &str = "lib/tare/artifacts/wasm-component/orders.wasm";

/// Arguments of `cargo xtask test-dist`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An archive that was made before, with its checksum beside it, instead of a new one of what the suite `quick` measures
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,
}

/// Makes an archive, unpacks it, and runs a comparison from it: of the project's services, and of a component. What they
/// leave is kept in dist/test/ among what cargo builds.
///
/// # Errors
/// An error if something cannot be made or measured, or the runs lack something.
pub fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let out = workspace.target_directory.join("dist/test");
    let archive = match &args.archive {
        Some(archive) => absolute(archive)?,
        None => dist::make(workspace, &[PLATFORMS.to_owned()], &out)?,
    };
    let folder = tempfile::Builder::new().prefix("tare-installed-").tempdir()?;
    ensure!(
        !folder.path().starts_with(&workspace.root),
        "{} is in the checkout: set TMPDIR to a folder outside of it",
        folder.path().display()
    );
    let machine = Machine::new(folder.path(), &archive)?;
    let done = machine.compare(workspace);
    for name in ["results", "reports"] {
        keep(&machine.here.join(name), &out.join(name))?;
    }
    done.with_context(|| format!("its runs and reports are kept in {}", out.display()))
}

/// A machine on which nothing but the archive is, as far as one machine can be another.
struct Machine {
    /// The unpacked archive.
    prefix: PathBuf,
    /// The user's folder.
    home: PathBuf,
    /// The current folder.
    here: PathBuf,
    /// Where programs are found.
    path: String,
}

impl Machine {
    /// Unpacks the archive, by what users unpack it with.
    fn new(folder: &Path, archive: &Path) -> Result<Self> {
        let [prefix, home, here, hidden] = ["prefix", "home", "here", "hidden"].map(|name| folder.join(name));
        for folder in [&prefix, &home, &here, &hidden] {
            fs::create_dir(folder)?;
        }
        let mut check = Command::new("sha256sum");
        check.arg("--check").arg(checksum_of(archive)).current_dir(archive.parent().unwrap_or(folder));
        step("checksum", check)?;
        let mut unpack = Command::new("tar");
        unpack.arg("-xzf").arg(archive).args(["--strip-components", "1", "-C"]).arg(&prefix);
        step("unpacking", unpack)?;
        // In the way of those that the machine has in its usual folders.
        for name in ABSENT.iter().filter(|name| PATH.iter().any(|folder| Path::new(folder).join(name).exists())) {
            symlink("/bin/false", hidden.join(name))?;
        }
        Ok(Self { prefix, home, here, path: format!("{}:{}", hidden.display(), PATH.join(":")) })
    }

    /// The program, with nothing of this process's environment but where the container engine is.
    fn tare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.prefix.join("bin/tare"));
        command.args(args).current_dir(&self.here).env_clear().env("HOME", &self.home).env("PATH", &self.path);
        command.envs(env::var_os("DOCKER_HOST").map(|value| ("DOCKER_HOST", value)));
        command
    }

    fn compare(&self, workspace: &Workspace) -> Result<()> {
        let before = self.unpacked()?;
        step("a comparison from the archive", self.tare(&["compare", "--suite", "quick", "--rounds", "1"]))?;
        let services = Outcome::newest(&self.here)?;
        services.check()?;
        services.check_provenance(&self.prefix, &workspace.root)?;

        let component = self.prefix.join(COMPONENT);
        let component = component.to_str().context("the name of the temporary folder is no text")?;
        let what = ["compare", "--component", component, "--get", "/healthz", "--platform", "wasmtime/aot"];
        let how = ["--suite", "quick", "--rounds", "1", "--only", "startup"];
        step("a component from the archive", self.tare(&[&what[..], &how].concat()))?;
        let given = Outcome::newest(&self.here)?;
        ensure!(given != services, "the component's run is not the newest: {given:?}");
        given.check()?;

        ensure!(self.unpacked()? == before, "the program changed what is in {}", self.prefix.display());
        let work = self.home.join(".cache/tare");
        ensure!(work.is_dir(), "the program made no {}: where does it work?", work.display());
        say("-- runs, reports and their provenance are whole, and nothing was written into the unpacked archive");
        Ok(())
    }

    /// The files of the unpacked archive with their sizes in bytes.
    fn unpacked(&self) -> Result<BTreeMap<PathBuf, u64>> {
        let size = |path: PathBuf| Ok((path.clone(), fs::metadata(path)?.len()));
        entries(&self.prefix)?.into_iter().filter(|path| path.is_file()).map(size).collect()
    }
}

/// Puts a copy of a folder, if it is there, in the place of an earlier one.
fn keep(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    if !from.exists() {
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for path in entries(from)? {
        let target = to.join(path.strip_prefix(from)?);
        if path.is_symlink() {
            symlink(fs::read_link(&path)?, target)?;
        } else if path.is_dir() {
            fs::create_dir_all(target)?;
        } else {
            fs::copy(&path, target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_takes_the_place_of_what_was_kept_before() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("kept/to"));
        fs::create_dir_all(from.join("one")).unwrap();
        fs::write(from.join("one/run.json"), "{}").unwrap();
        symlink("one", from.join("latest")).unwrap();
        fs::create_dir_all(to.join("old")).unwrap();
        keep(&from, &to).unwrap();
        assert_eq!(entries(&to).unwrap(), ["latest", "one", "one/run.json"].map(|name| to.join(name)));
        assert_eq!(fs::read_link(to.join("latest")).unwrap(), Path::new("one"));
        keep(&folder.path().join("absent"), &to).unwrap();
        assert!(!to.exists(), "what is of an earlier test must not look like the result of this one");
    }
}
