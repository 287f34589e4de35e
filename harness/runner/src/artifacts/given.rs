//! What somebody brings: its build commands are run, and its files looked at, before anything is started.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Command;
use tokio::time::timeout;

use super::build::{last_words, log_file};
use super::product::{Guest, Product};
use super::products::Products;
use crate::sys::bounded::{cut_file, tail};
use crate::sys::owner;
use crate::workload::{Build, Given, Layout, Workload};

/// The largest component that is read, in bytes.
pub const LARGEST_COMPONENT: u64 = 1 << 30;

/// The most that a build command may write, in bytes: one that goes round in circles must not fill the disk.
const LARGEST_LOG: u64 = 256 << 20;

/// How much of its end is read for an error, in bytes.
const MOST_WORDS: u64 = 4000;

/// How often it is looked at how much that is.
const LOG_PERIOD: Duration = Duration::from_millis(200);

/// Makes what is wanted of what somebody brings. A build command is run once, however much is made by it.
///
/// # Errors
/// The folder of logs cannot be written to.
pub async fn make(
    layout: &Layout,
    wanted: &[(Product, Workload<'_>)],
    products: &mut Products,
    progress: &mut impl FnMut(&str),
) -> Result<()> {
    let mut done: Vec<(PathBuf, Build, Result<(), String>)> = Vec::new();
    for (product, workload) in wanted {
        let Some(given) = workload.given() else { continue };
        let name = workload.to_string();
        let build = match product {
            Product::Guest(Guest::Component) => given.component.as_ref().map(|component| component.build.as_ref()),
            Product::GivenProgram => given.program.as_ref().map(|program| program.build.as_ref()),
            Product::GivenImage => given.image.as_ref().map(|image| image.build.as_ref()),
            _ => None,
        };
        let Some(build) = build else { continue };
        if let Some(build) = build {
            let known = done.iter().find(|(folder, other, _)| *folder == given.folder && other == build);
            let result = match known {
                Some((_, _, result)) => result.clone(),
                None => {
                    progress(&format!("{name}: {}", build.0.join(" ")));
                    let result = run(layout, &workload.slug(), &given.folder, build).await;
                    let result = result.map_err(|error| format!("{error:#}"));
                    done.push((given.folder.clone(), build.clone(), result.clone()));
                    result
                }
            };
            if let Err(reason) = result {
                products.fail(*product, &name, reason);
                continue;
            }
        }
        if *product == Product::Guest(Guest::Component) {
            match component(given) {
                Ok(file) => products.put(*product, &name, file),
                Err(error) => products.fail(*product, &name, format!("{error:#}")),
            }
        }
    }
    Ok(())
}

/// The component's file, once it is known to be one.
fn component(given: &Given) -> Result<PathBuf> {
    let file = &given.component.as_ref().context("no component is named")?.file;
    read_component(file)?;
    Ok(fs_err::canonicalize(file)?)
}

/// Reads a component's file.
///
/// # Errors
/// It is not there, not a plain file, too large, or no WebAssembly at all.
pub fn read_component(file: &Path) -> Result<Vec<u8>> {
    let metadata = fs_err::metadata(file)?;
    ensure!(metadata.is_file(), "{} is not a file", file.display());
    ensure!(metadata.len() <= LARGEST_COMPONENT, "{} is larger than {LARGEST_COMPONENT} bytes", file.display());
    let bytes = fs_err::read(file)?;
    ensure!(bytes.starts_with(b"\0asm"), "{} is not WebAssembly", file.display());
    Ok(bytes)
}

async fn run(layout: &Layout, slug: &str, folder: &Path, build: &Build) -> Result<()> {
    let [program, args @ ..] = &build.0[..] else { bail!("the build command is empty") };
    let log = log_file(layout, &format!("build-{slug}.log"))?;
    // Into a file and not a pipe: what it leaves running in the background would keep a pipe open.
    let file = fs_err::File::create(&log)?.into_file();
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null()).process_group(0);
    command.stdout(file.try_clone()?).stderr(file).env(owner::ENV, owner::me().to_string());
    let mut child = command.spawn().with_context(|| format!("cannot run `{program}` in {}", folder.display()))?;
    let mut group = Group(child.id());
    let status = loop {
        match timeout(LOG_PERIOD, child.wait()).await {
            Ok(status) => break status?,
            // It goes on meanwhile; what ends it here is the drop of its group.
            Err(_) => ensure!(
                fs_err::metadata(&log)?.len() <= LARGEST_LOG,
                "`{}` in {} was ended: it wrote more than {} MiB; see {}",
                build.0.join(" "),
                folder.display(),
                LARGEST_LOG >> 20,
                layout.relative(&log)
            ),
        }
    };
    // Its number may be another's from now on; what it left running carries its owner and is ended with the run.
    group.0 = None;
    let words = tail(&log, MOST_WORDS)?;
    cut_file(&log)?;
    if !status.success() {
        let (command, folder) = (build.0.join(" "), folder.display());
        bail!("`{command}` in {folder} failed ({status}); it said: {}", last_words(&words));
    }
    Ok(())
}

/// A build command that runs and what it has started: ended when this is dropped, as when the user ends the run.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // It fails where nobody is left, which is the aim.
            let _ = killpg(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
        }
    }
}
