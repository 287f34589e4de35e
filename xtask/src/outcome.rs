//! What a comparison leaves, read as a stranger would read it: by the names of its files and of what is in them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use serde_json::Value;

/// The files of a run.
const RUN: &[&str] = &["claims.csv", "latencies.hlog", "run.json", "samples.csv", "summary.csv"];

/// The files of its report.
const REPORT: &[&str] = &["index.html", "summary.md"];

/// A run and its report.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    run: PathBuf,
    report: PathBuf,
}

impl Outcome {
    /// The newest run below a folder, and its report.
    ///
    /// # Errors
    /// An error if there is none.
    pub fn newest(folder: &Path) -> Result<Self> {
        let run = fs::canonicalize(folder.join("results/latest"))?;
        let name = run.file_name().context("the newest run has no name")?;
        Ok(Self { report: folder.join("reports").join(name), run })
    }

    /// Makes sure that all files are there, that the run was done to its end and that nothing of it failed.
    ///
    /// # Errors
    /// An error if not.
    pub fn check(&self) -> Result<()> {
        let all = [(&self.run, RUN), (&self.report, REPORT)];
        for file in all.into_iter().flat_map(|(folder, names)| names.iter().map(|name| folder.join(name))) {
            ensure!(fs::metadata(&file)?.len() > 0, "{} is empty", file.display());
        }
        let samples = self.run.join("samples.csv");
        ensure!(fs::read_to_string(&samples)?.lines().count() > 1, "{} has no sample", samples.display());
        let record = self.record()?;
        ensure!(record["state"] == "complete", "the run's state is {}, not complete", record["state"]);
        ensure!(record["failed"] == Value::Array(Vec::new()), "something failed: {}", record["failed"]);
        Ok(())
    }

    /// Makes sure that the run says what the program was built from, as the archive does, and that this is a commit of the
    /// checkout if it is one.
    ///
    /// # Errors
    /// An error if not.
    pub fn check_provenance(&self, prefix: &Path, checkout: &Path) -> Result<()> {
        let (record, contents) = (self.record()?, read(&prefix.join("lib/tare/contents.json"))?);
        let built_from = contents["versions"].as_object().context("the archive names no versions")?;
        ensure!(built_from.contains_key("rustc"), "the archive does not name its compiler: {built_from:?}");
        for (name, version) in built_from {
            let told = &record["versions"][name];
            ensure!(told == version, "the run says {told} of {name}, and the archive {version}");
        }
        let (told, commit) = (&record["git_commit"], &contents["git_commit"]);
        ensure!(told == commit, "the run is of the commit {told}, and the archive of {commit}");
        match commit.as_str() {
            Some(commit) => check_commit(checkout, commit),
            None if checkout.join(".git").exists() => bail!("the archive names no commit"),
            None => Ok(()),
        }
    }

    fn record(&self) -> Result<Value> {
        read(&self.run.join("run.json"))
    }
}

fn read(file: &Path) -> Result<Value> {
    serde_json::from_slice(&fs::read(file)?).with_context(|| format!("{} is no JSON", file.display()))
}

/// Makes sure that a commit is one of a checkout; behind it may stand that files had been changed.
fn check_commit(checkout: &Path, commit: &str) -> Result<()> {
    let commit = commit.strip_suffix("-dirty").unwrap_or(commit);
    let mut git = Command::new("git");
    git.args(["cat-file", "-e", &format!("{commit}^{{commit}}")]).current_dir(checkout).stderr(Stdio::null());
    let status = git.status().context("cannot start git")?;
    ensure!(status.success(), "{commit} is no commit of {}", checkout.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder with a whole run, whose record is this; the rest is as short as can be.
    fn folder(record: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let (run, report) = (folder.path().join("results/one"), folder.path().join("reports/one"));
        for (path, names) in [(&run, RUN), (&report, REPORT)] {
            fs::create_dir_all(path).unwrap();
            for name in names {
                fs::write(path.join(name), "head\nrow\n").unwrap();
            }
        }
        fs::write(run.join("run.json"), record).unwrap();
        symlink("one", folder.path().join("results/latest")).unwrap();
        folder
    }

    fn fault(folder: &tempfile::TempDir) -> String {
        let checked = Outcome::newest(folder.path()).and_then(|outcome| outcome.check());
        checked.map_or_else(|error| format!("{error:#}"), |()| String::new())
    }

    const WHOLE: &str = r#"{"state":"complete","failed":[],"versions":{"rustc":"1","docker":"2"},"git_commit":null}"#;

    #[test]
    fn a_whole_run_passes_and_what_it_lacks_is_named() {
        let whole = folder(WHOLE);
        assert_eq!(fault(&whole), "");
        fs::write(whole.path().join("results/one/samples.csv"), "head\n").unwrap();
        assert!(fault(&whole).contains("samples.csv has no sample"));
        fs::write(whole.path().join("reports/one/index.html"), "").unwrap();
        assert!(fault(&whole).contains("index.html is empty"));
        fs::remove_file(whole.path().join("results/one/latencies.hlog")).unwrap();
        assert!(fault(&whole).contains("latencies.hlog"));
        fs::remove_file(whole.path().join("results/latest")).unwrap();
        assert!(fault(&whole).contains("results/latest"));
    }

    #[test]
    fn a_run_that_did_not_end_well_does_not_pass() {
        assert!(fault(&folder(&WHOLE.replace("complete", "time_spent"))).contains("time_spent"));
        assert!(fault(&folder(&WHOLE.replace("[]", r#"[{"reason":"gone"}]"#))).contains("gone"));
    }

    #[test]
    fn the_provenance_of_a_run_is_that_of_the_archive() {
        let folder = folder(WHOLE);
        let outcome = Outcome::newest(folder.path()).unwrap();
        let prefix = folder.path().join("prefix");
        fs::create_dir_all(prefix.join("lib/tare")).unwrap();
        let fault = |contents: &str| {
            fs::write(prefix.join("lib/tare/contents.json"), contents).unwrap();
            let checked = outcome.check_provenance(&prefix, folder.path());
            checked.map_or_else(|error| format!("{error:#}"), |()| String::new())
        };
        assert_eq!(fault(r#"{"versions":{"rustc":"1"},"git_commit":null}"#), "");
        assert!(fault(r#"{"versions":{"rustc":"2"},"git_commit":null}"#).contains("of rustc"));
        assert!(fault(r#"{"versions":{},"git_commit":null}"#).contains("compiler"));
        assert!(fault(r#"{"versions":{"rustc":"1"},"git_commit":"abc"}"#).contains("commit null"));
    }
}
