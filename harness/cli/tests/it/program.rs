//! Running the binary and looking at what it leaves.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard};

use tare_model::{RunRecord, Sample, SampleReader};
use tempfile::TempDir;

/// One comparison at a time: they share the CPUs and the build.
static ONE: Mutex<()> = Mutex::new(());

pub fn alone() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().into()
}

pub fn tare(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tare"));
    command.args(args).current_dir(root()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder for runs, and the newest run in it. Tests leave nothing in the checkout's own.
pub struct Runs(TempDir);

impl Runs {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The arguments that make the program use this folder, for its reports too.
    pub fn args(&self) -> [String; 4] {
        let path = self.0.path().display();
        ["--results".into(), path.to_string(), "--reports".into(), format!("{path}/reports")]
    }

    pub fn newest(&self) -> Run {
        let folders = std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        Run(folders.filter(|path| path.join("run.json").is_file() && !path.is_symlink()).max().unwrap())
    }

    /// The samples of the newest run as text, empty before there are any.
    pub fn raw_samples(&self) -> String {
        std::fs::read_to_string(self.0.path().join("latest/samples.csv")).unwrap_or_default()
    }

    /// The record of the only run as text, empty before there is one.
    pub fn raw_record(&self) -> String {
        let mut folders = std::fs::read_dir(self.0.path()).unwrap().flatten().map(|entry| entry.path());
        folders.find_map(|path| std::fs::read_to_string(path.join("run.json")).ok()).unwrap_or_default()
    }
}

/// A run's folder.
pub struct Run(pub PathBuf);

impl Run {
    pub fn record(&self) -> RunRecord {
        serde_json::from_slice(&std::fs::read(self.0.join("run.json")).unwrap()).unwrap()
    }

    pub fn samples(&self) -> Vec<Sample> {
        SampleReader::read(std::fs::File::open(self.0.join("samples.csv")).unwrap()).unwrap()
    }

    /// The names of its files.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// The processes that this process's child has started to be measured and that still run.
pub fn started_by(child: &Child) -> Vec<String> {
    let of_child = format!("-{}-", child.id());
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let environs = entries.filter_map(|entry| {
        let environ = std::fs::read(entry.path().join("environ")).ok()?;
        Some((entry.path(), String::from_utf8_lossy(&environ).into_owned()))
    });
    let owned = environs.filter(|(_, environ)| {
        environ.split('\0').any(|variable| variable.starts_with("TARE_OWNER=") && variable.contains(&of_child))
    });
    owned.map(|(path, _)| path.display().to_string()).collect()
}

/// Whether there is a container engine. Where everything must be tested, there has to be one.
pub fn has_engine() -> bool {
    let there = std::os::unix::net::UnixStream::connect("/var/run/docker.sock").is_ok();
    assert!(there || std::env::var_os("CI").is_none(), "no container engine, and in CI nothing is skipped");
    if !there {
        // Past the test runner's capture, which hides what a passing test prints.
        let _ =
            writeln!(std::io::stderr(), "SKIPPED: what needs containers: no engine listens at /var/run/docker.sock");
    }
    there
}
