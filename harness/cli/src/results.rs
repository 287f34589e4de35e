//! Runs on disk: results/<run>/ with run.json, samples.csv and summary.csv, and results/latest.

mod claims;
mod nearest;
mod reading;

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use fs_err::os::unix::fs::symlink;
use fs_err::{self as fs, File};
use tare_load::Histogram;
use tare_model::{Claim, ClaimRow, RunRecord, Sample, SampleWriter, write_claims, write_summary};
use tare_runner::LoadName;
use tare_stats::{Judged, Reference, Summary, judge, summarise, with_derived};

pub use self::claims::{claims, unknown_names};
use self::reading::contents;
pub use self::reading::{Run, read};

use crate::latencies::LatencyLog;
use crate::screen::say;

/// The record of a run.
pub const RECORD: &str = "run.json";
const SAMPLES: &str = "samples.csv";
const SUMMARY: &str = "summary.csv";
const CLAIMS: &str = "claims.csv";
/// The link to the newest run.
pub const LATEST: &str = "latest";

/// The run that the README shows.
pub const BASELINE: &str = "baseline";

/// A run that is being written.
pub struct RunWriter {
    name: String,
    folder: PathBuf,
    samples: SampleWriter<File>,
    latencies: LatencyLog,
    taken: Vec<Sample>,
    record: Option<RunRecord>,
}

impl RunWriter {
    /// Makes the folder of a new run, named by the time and the process so that two runs never share one.
    pub fn create(results: &Path) -> Result<(String, Self)> {
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let name =
            format!("{}-{}", now.replace([':', '-'], "").replace('T', "-").trim_end_matches('Z'), std::process::id());
        let folder = results.join(&name);
        fs::create_dir_all(results)?;
        // Its own: what is there under that name, a link too, is somebody else's.
        fs::create_dir(&folder)?;
        let samples = SampleWriter::new(&name, File::create(folder.join(SAMPLES))?);
        let latencies = LatencyLog::create(&folder)?;
        Ok((name.clone(), Self { name, folder, samples, latencies, taken: Vec::new(), record: None }))
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends a sample; it outlives this process when this returns.
    pub fn sample(&mut self, sample: &Sample) -> Result<()> {
        if self.taken.is_empty() {
            // A run that fails before it has measured anything is nobody's newest.
            link_latest(self.folder.parent().unwrap_or(Path::new(".")), &self.name);
        }
        let path = self.folder.join(SAMPLES);
        self.samples.write(sample).with_context(|| format!("cannot append to {}", path.display()))?;
        self.taken.push(sample.clone());
        Ok(())
    }

    /// Appends the latencies of a load.
    pub fn latencies(&mut self, load: &LoadName<'_>, latencies: &Histogram<u64>) -> Result<()> {
        self.latencies.write(load, latencies)
    }

    /// Writes the record anew, and the summary of what has been sampled so far. What was sampled then outlives a loss of
    /// power, too.
    pub fn record(&mut self, record: &RunRecord) -> Result<()> {
        self.record = Some(record.clone());
        self.samples.get_ref().sync_data()?;
        write_record(&self.folder, record)?;
        write_summary_file(&self.folder, &summary(record, &with_derived(&self.taken)))
    }

    /// The record as it was last written, and the samples with what is derived from them.
    pub fn finish(self) -> Option<(RunRecord, Vec<Sample>)> {
        Some((self.record?, with_derived(&self.taken)))
    }
}

/// The summary of a run's samples, with ratios to the reference that its plan names.
pub fn summary(record: &RunRecord, samples: &[Sample]) -> Summary {
    summarise(samples, &Reference::new(record.plan.reference.clone()))
}

/// Judges claims by a run's samples, and writes what became of them.
pub fn write_claims_file(folder: &Path, claims: &[Claim], samples: &[Sample]) -> Result<Vec<Judged>> {
    let judged = judge(claims, samples);
    let rows: Vec<ClaimRow> = judged.iter().flat_map(Judged::rows).collect();
    let mut bytes = Vec::new();
    write_claims(&mut bytes, &rows)?;
    replace(&folder.join(CLAIMS), &bytes)?;
    Ok(judged)
}

/// Writes a run's summary anew.
pub fn write_summary_file(folder: &Path, summary: &Summary) -> Result<()> {
    let mut bytes = Vec::new();
    write_summary(&mut bytes, &summary.rows())?;
    replace(&folder.join(SUMMARY), &bytes)
}

/// Writes a run's record anew.
pub fn write_record(folder: &Path, record: &RunRecord) -> Result<()> {
    let mut bytes = serde_json::to_vec_pretty(record)?;
    bytes.push(b'\n');
    replace(&folder.join(RECORD), &bytes)
}

/// Puts a whole file in the place of another: a reader, or a kill, finds the old or the new one. What cannot be written leaves
/// nothing behind. A link in its place is replaced, not followed.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().context("it has no folder")?;
    let name = path.file_name().context("it has no name")?.to_string_lossy();
    // A name that nobody can foresee, made exclusively; whoever reads the other files may read this one.
    let mut file = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .with_context(|| format!("cannot write into {}", folder.display()))?;
    let written = file.write_all(bytes).and_then(|()| file.as_file().sync_all());
    written.with_context(|| format!("cannot write {}", path.display()))?;
    file.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

/// Links the newest run's folder. What is there and no link (a folder that an archive was unpacked into) is left alone, and a
/// disk that takes no link costs only the link; both are told.
pub fn link_latest(results: &Path, name: &str) {
    let latest = results.join(LATEST);
    if latest.exists() && !latest.is_symlink() {
        say(&format!("{} is not a link, and is left as it is: the newest run is {name}", latest.display()));
        return;
    }
    let link = tempfile::Builder::new().prefix(".latest.").make_in(results, |path| symlink(name, path));
    let linked = link.and_then(|link| link.persist(&latest).map_err(|failed| failed.error));
    if let Err(error) = linked {
        say(&format!("warning: {} cannot be linked ({error}): the newest run is {name}", latest.display()));
    }
}

/// The names of the folders in it, each in order: those that hold a run's record, and the others. Links are none.
///
/// # Errors
/// It cannot be read.
pub fn folders(results: &Path) -> Result<(Vec<String>, Vec<String>)> {
    let mut names = Vec::new();
    if results.is_dir() {
        for entry in fs::read_dir(results)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    names.sort();
    Ok(names.into_iter().partition(|name| has_record(&results.join(name))))
}

/// Whether a folder holds what a run of any version leaves there.
fn has_record(folder: &Path) -> bool {
    let json: Option<serde_json::Value> =
        contents(&folder.join(RECORD)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    json.is_some_and(|json| json.get("run").is_some() && json.get("schema_version").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_with_a_record_are_runs() {
        let results = tempfile::tempdir().unwrap();
        let path = results.path();
        for folder in ["my-notes", "r1", "r2"] {
            fs::create_dir(path.join(folder)).unwrap();
        }
        fs::write(path.join("r1/run.json"), r#"{ "schema_version": 1, "run": "r1" }"#).unwrap();
        fs::write(path.join("r2/run.json"), "{}").unwrap();
        symlink("r1", path.join(LATEST)).unwrap();
        assert_eq!(folders(path).unwrap(), (vec!["r1".to_owned()], vec!["my-notes".to_owned(), "r2".to_owned()]));
        assert_eq!(folders(&path.join("none")).unwrap(), (vec![], vec![]));
    }

    #[test]
    fn a_file_is_replaced_whole_and_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("a.csv"), folder.path().join("target"));
        fs::write(&target, "kept").unwrap();
        symlink(&target, &path).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!([fs::read(&path).unwrap(), fs::read(&target).unwrap()], [b"new".to_vec(), b"kept".to_vec()]);
        // A folder stands where the file should: it is told, and nothing else is left.
        fs::create_dir(folder.path().join("b")).unwrap();
        assert!(replace(&folder.path().join("b"), b"new").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn the_newest_run_is_linked_unless_something_else_has_that_name() {
        let results = tempfile::tempdir().unwrap();
        let latest = results.path().join(LATEST);
        for run in ["r1", "r2"] {
            link_latest(results.path(), run);
            assert_eq!(fs::read_link(&latest).unwrap(), Path::new(run));
        }
        fs::remove_file(&latest).unwrap();
        fs::create_dir(&latest).unwrap();
        link_latest(results.path(), "r3");
        assert!(latest.is_dir() && fs::read_dir(results.path()).unwrap().count() == 1);
    }
}
