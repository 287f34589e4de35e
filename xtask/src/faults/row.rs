//! The verdict on a fault, as a row.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use fs_err as fs;

use super::fault::Fault;
use super::scene::Scene;

/// How long after the wish to end the program is meant to have ended. What is later is marked; only what is much later is wrong,
/// since the machine may be busy.
const MEANT: Duration = Duration::from_secs(1);

/// The verdict.
#[derive(Debug)]
pub struct Row {
    fault: &'static Fault,
    /// The exit status; of several the highest.
    pub code: Option<i32>,
    /// From the wish to end to the end.
    pub obeyed: Option<Duration>,
    /// The most memory of the program, in bytes.
    pub peak_bytes: u64,
    /// What was left after the next start.
    pub orphans: Vec<String>,
    /// The samples that were on disk before the fault and are not there any more.
    pub lost: usize,
    /// How long all of it took.
    pub took: Duration,
    /// What is wrong besides.
    pub wrongs: Vec<String>,
    /// What it takes to see why: names and contents of files.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Row {
    /// Nothing is known yet.
    pub fn new(fault: &'static Fault) -> Self {
        let (obeyed, took) = (None, Duration::ZERO);
        let (orphans, wrongs, files) = (Vec::new(), Vec::new(), Vec::new());
        Self { fault, code: None, obeyed, peak_bytes: 0, orphans, lost: 0, took, wrongs, files }
    }

    /// Something is wrong.
    pub fn wrong(&mut self, what: String) {
        if !self.wrongs.contains(&what) {
            self.wrongs.push(what);
        }
    }

    /// Whether all is as it should be.
    pub fn is_right(&self) -> bool {
        self.wrongs.is_empty() && self.orphans.is_empty()
    }

    /// Takes note of a command that is run.
    pub fn command(&mut self, command: &Command) {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<String> = words.map(|word| format!("'{}'", word.display())).collect();
        let folder = command.get_current_dir().unwrap_or(Path::new(".")).display().to_string();
        let line = format!("cd '{folder}' && {}\n", words.join(" "));
        self.files.push(("command".into(), line.into_bytes()));
    }

    /// Takes note of what the program has said; returns it.
    ///
    /// # Errors
    /// An error if it cannot be read.
    pub fn keep(&mut self, scene: &Scene<'_>, prefix: &str) -> Result<String> {
        let (output, errors) = (fs::read(scene.output())?, fs::read(scene.errors())?);
        let both = [String::from_utf8_lossy(&output), String::from_utf8_lossy(&errors)].concat();
        self.files.push((format!("{prefix}stdout"), output));
        self.files.push((format!("{prefix}stderr"), errors));
        Ok(both)
    }

    /// Writes into a folder what it takes to see why; of several of one name the last.
    ///
    /// # Errors
    /// An error if the disk refuses.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let folder = folder.join(self.fault.name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("verdict"), format!("{self}"))?;
        for (name, bytes) in &self.files {
            fs::write(folder.join(name), bytes)?;
        }
        Ok(())
    }

    /// The names of the columns.
    pub fn head() -> String {
        format!(
            "{:<8} {:<36} {:>5} {:>8} {:>8} {:>7} {:>5} {:>6}",
            "", "fault", "exit", "ended s", "peak MiB", "orphans", "lost", "took s"
        )
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_right() { "right" } else { "WRONG" };
        let code = self.code.map_or_else(|| "-".to_owned(), |code| code.to_string());
        let obeyed = self.obeyed.map_or_else(
            || "-".to_owned(),
            |obeyed| {
                let late = if obeyed > MEANT { "!" } else { "" };
                format!("{:.2}{late}", obeyed.as_secs_f64())
            },
        );
        let (peak, took) = (self.peak_bytes >> 20, self.took.as_secs_f64());
        let (orphans, lost, name) = (self.orphans.len(), self.lost, self.fault.name);
        write!(f, "{verdict:<8} {name:<36} {code:>5} {obeyed:>8} {peak:>8} {orphans:>7} {lost:>5} {took:>6.1}")?;
        for wrong in &self.wrongs {
            write!(f, "\n         - {wrong}")?;
        }
        for orphan in &self.orphans {
            write!(f, "\n         - left after the next start: {orphan}")?;
        }
        if self.is_right() { Ok(()) } else { write!(f, "\n         - it is: {}", self.fault) }
    }
}
