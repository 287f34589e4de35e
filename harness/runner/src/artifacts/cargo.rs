//! Running cargo and hearing what it built.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use jobserver::Client;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::sys::owner;

/// One `cargo build`.
#[derive(Debug, Clone)]
pub struct CargoBuild {
    /// The packages to build.
    pub packages: Vec<String>,
    /// The target triple; nothing for the host's own, whose artifacts are then shared with other builds on it.
    pub target: Option<String>,
    /// Whether the C library is linked statically where it would not be by default; with a `target` only.
    pub static_libc: bool,
    /// The profile of the root manifest.
    pub profile: &'static str,
    /// Further arguments.
    pub args: Vec<String>,
}

/// What a `cargo build` gave: files by package, and what the compiler said of packages that failed.
#[derive(Debug, Default)]
pub struct CargoOutput {
    /// The executable or component of each package that was built.
    pub files: BTreeMap<String, PathBuf>,
    /// The errors, as the compiler renders them; empty when all went well.
    pub errors: String,
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-artifact")]
    Built(Artifact),
    #[serde(rename = "compiler-message")]
    Diagnosed { message: Diagnostic },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    target: Target,
    filenames: Vec<PathBuf>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
}

/// What several cargos share, so that all of them together run about as many compilers as there are CPUs.
///
/// # Errors
/// The kernel refuses a pipe.
pub fn jobs() -> Result<Client> {
    let cpus = available_parallelism().map_or(1, NonZero::get);
    // Each cargo runs one that it need not ask for.
    Client::new(cpus.saturating_sub(1)).context("making what several cargos share")
}

impl CargoBuild {
    /// Runs it, telling of each crate as it is done. A package that does not compile does not keep the others from it.
    ///
    /// # Errors
    /// When cargo cannot be run or fails without a word from the compiler (no network, no target).
    pub async fn run(&self, root: &Path, jobs: &Client, mut progress: impl FnMut(&str)) -> Result<CargoOutput> {
        let mut command = Command::new("cargo");
        command.args(["build", "--keep-going", "--message-format=json-render-diagnostics", "--profile", self.profile]);
        command.args(self.target.iter().flat_map(|target| ["--target", target])).args(&self.args);
        if let (true, Some(target)) = (self.static_libc, &self.target) {
            command.args(["--config", &format!("target.{target}.rustflags=['-Ctarget-feature=+crt-static']")]);
        }
        for package in &self.packages {
            command.args(["-p", package]);
        }
        // They would take the place of the flags that the project's products are made of, here and in its configuration.
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        // What is left of it when this process is killed is ended by the next one.
        command.env(owner::ENV, owner::me().to_string());
        jobs.configure(command.as_std_mut());
        command.current_dir(root).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child =
            command.spawn().context("cannot run cargo: is the Rust toolchain installed (https://rustup.rs)?")?;
        let stdout = child.stdout.take().context("cargo's output was asked for")?;
        let stderr = child.stderr.take().context("cargo's errors were asked for")?;
        let (mut lines, mut remarks) = (BufReader::new(stdout).lines(), BufReader::new(stderr).lines());
        let (mut output, mut words) = (CargoOutput::default(), String::new());
        let (mut done, mut more_remarks) = (0, true);
        loop {
            tokio::select! {
                line = lines.next_line() => match line?.map(|line| serde_json::from_str(&line)) {
                    Some(Ok(Message::Built(artifact))) => {
                        done += 1;
                        progress(&format!("{done} crates, last {}", artifact.target.name));
                        output.take(artifact);
                    }
                    Some(Ok(Message::Diagnosed { message })) if message.level == "error" => {
                        output.errors += &message.rendered.unwrap_or_default();
                    }
                    Some(_) => {}
                    None => break,
                },
                remark = remarks.next_line(), if more_remarks => match remark? {
                    // Another cargo holds the target directory: without a word this looks like a hang.
                    Some(remark) if remark.contains("Blocking") => progress(remark.trim()),
                    Some(remark) => words.extend([remark.as_str(), "\n"]),
                    None => more_remarks = false,
                },
            }
        }
        while let Some(remark) = remarks.next_line().await? {
            words.extend([remark.as_str(), "\n"]);
        }
        let status = child.wait().await?;
        if !status.success() && output.errors.is_empty() {
            output.errors = words;
        }
        Ok(output)
    }
}

impl CargoOutput {
    fn take(&mut self, artifact: Artifact) {
        let component = artifact.filenames.into_iter().find(|file| file.extension().is_some_and(|end| end == "wasm"));
        let folder = artifact.manifest_path.parent().and_then(Path::file_name);
        if let (Some(file), Some(folder)) = (artifact.executable.or(component), folder.and_then(|name| name.to_str())) {
            self.files.insert(folder.to_owned(), file);
        }
    }
}
