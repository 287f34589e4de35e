//! Runs on disk: results/<run>/ with run.json, samples.csv and summary.csv, and results/latest.

use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow, bail, ensure};
use fs_err::os::unix::fs::symlink;
use fs_err::{self as fs, File};
use tare_load::Histogram;
use tare_model::{
    Claim, ClaimRow, Claims, RunRecord, SCHEMA_VERSION, Sample, SampleReader, SampleWriter, write_claims, write_summary,
};
use tare_runner::LoadName;
use tare_stats::{Judged, Reference, Summary, judge, summarise, with_derived};

use crate::latencies::LatencyLog;

const RECORD: &str = "run.json";
const SAMPLES: &str = "samples.csv";
const SUMMARY: &str = "summary.csv";
const CLAIMS: &str = "claims.csv";
const LATEST: &str = "latest";

/// A run that is being written.
pub struct RunWriter {
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
        fs::create_dir_all(&folder)?;
        let samples = SampleWriter::new(&name, File::create(folder.join(SAMPLES))?);
        let latencies = LatencyLog::create(&folder)?;
        link_latest(results, &name)?;
        Ok((name, Self { folder, samples, latencies, taken: Vec::new(), record: None }))
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends a sample; it is on disk when this returns.
    pub fn sample(&mut self, sample: &Sample) -> Result<()> {
        let path = self.folder.join(SAMPLES);
        self.samples.write(sample).with_context(|| format!("cannot append to {}", path.display()))?;
        self.taken.push(sample.clone());
        Ok(())
    }

    /// Appends the latencies of a load.
    pub fn latencies(&mut self, load: &LoadName<'_>, latencies: &Histogram<u64>) -> Result<()> {
        self.latencies.write(load, latencies)
    }

    /// Writes the record anew, and the summary of what has been sampled so far.
    pub fn record(&mut self, record: &RunRecord) -> Result<()> {
        self.record = Some(record.clone());
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

/// Reads a run by its name under results/, or by the path of its folder; its samples with what is derived from them.
///
/// # Errors
/// When there is none, it is of another version, or a file of it cannot be read.
pub fn read(results: &Path, run: &str) -> Result<(PathBuf, RunRecord, Vec<Sample>)> {
    let named = results.join(run);
    let folder = if named.is_dir() { named } else { PathBuf::from(run) };
    if !folder.join(RECORD).is_file() {
        bail!("there is no run `{run}` in {}: {}", results.display(), known(results)?);
    }
    let record: RunRecord = {
        let path = folder.join(RECORD);
        let json: serde_json::Value = serde_json::from_reader(BufReader::new(File::open(&path)?))
            .with_context(|| format!("{} is not JSON", path.display()))?;
        let version = json.get("schema_version").and_then(serde_json::Value::as_u64);
        ensure!(
            version == Some(SCHEMA_VERSION.into()),
            "{} has the schema version {}, and this program reads {SCHEMA_VERSION}: use the version that wrote it, or measure \
             again",
            path.display(),
            version.map_or_else(|| "none".to_owned(), |version| version.to_string())
        );
        serde_json::from_value(json).with_context(|| format!("{} is not a run's record", path.display()))?
    };
    let path = folder.join(SAMPLES);
    let samples =
        SampleReader::read(File::open(&path)?).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok((folder, record, with_derived(&samples)))
}

/// Reads the claims to judge. A file that is not there has none.
///
/// # Errors
/// It cannot be read, or a claim in it cannot be judged.
pub fn claims(path: &Path) -> Result<Vec<Claim>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path)?;
    let claims: Claims = toml::from_str(&text).with_context(|| format!("{} is no file of claims", path.display()))?;
    claims.check().map_err(|what| anyhow!("{}: {what}", path.display()))?;
    Ok(claims.claim)
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

/// Puts a whole file in the place of another: a reader, or a kill, finds the old or the new one.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(fs::rename(new, path)?)
}

/// Links the newest run's folder.
pub fn link_latest(results: &Path, name: &str) -> Result<()> {
    let new = results.join(format!(".{LATEST}-{name}"));
    // A kill right here may have left one.
    if new.is_symlink() {
        fs::remove_file(&new)?;
    }
    symlink(name, &new)?;
    Ok(fs::rename(new, results.join(LATEST))?)
}

fn known(results: &Path) -> Result<String> {
    let names = runs(results)?;
    Ok(if names.is_empty() {
        "there is none yet; `compare` makes one".into()
    } else {
        format!("there are {}", names.join(", "))
    })
}

/// The names of the runs, oldest first; the links and the baseline are none.
pub fn runs(results: &Path) -> Result<Vec<String>> {
    if !results.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(results)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && name != "baseline" {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use tare_model::Variants;
    use tare_runner::platforms::variants;

    use super::*;

    #[test]
    fn the_claims_that_are_shipped_can_be_judged() {
        let claims = claims(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../claims.toml")).unwrap();
        assert!(claims.len() > 10);
        let known: Vec<_> = variants().map(|(_, variant)| variant.entry().id()).collect();
        for claim in &claims {
            for case in [Some(&claim.usual), claim.best.as_ref()].into_iter().flatten() {
                let named = [Some(&case.of), case.over.as_ref()].into_iter().flatten();
                assert!(named.flat_map(|Variants(ids)| ids).all(|id| known.contains(id)), "{claim:?}");
            }
        }
    }

    #[test]
    fn a_claim_that_cannot_be_judged_is_named_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claims.toml");
        assert_eq!(claims(&path).unwrap(), []);
        for (text, told) in [
            ("claim = 3", "is no file of claims"),
            (
                "[[claim]]\nid = \"a\"\nclaim = \"b\"\nfigure = \"c\"\nmetrics = [\"size\"]\nat_most = \"5 MiB\"\nusual = { of = \"a/b\" }",
                "is no unit",
            ),
            (
                "[[claim]]\nid = \"a\"\nclaim = \"b\"\nfigure = \"c\"\nmetrics = [\"weight\"]\nat_most = \"5 MB\"\nusual = { of = \"a/b\" }",
                "no metric `weight`",
            ),
        ] {
            fs::write(&path, text).unwrap();
            let error = format!("{:#}", claims(&path).unwrap_err());
            assert!(error.contains("claims.toml") && error.contains(told), "{error}");
        }
    }
}
