//! Runs on disk: results/<run>/ with run.json, samples.csv and summary.csv, and results/latest.

use std::fs::Permissions;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow, bail, ensure};
use fs_err::os::unix::fs::symlink;
use fs_err::{self as fs, File};
use tare_load::Histogram;
use tare_model::{
    Claim, ClaimRow, Claims, RunRecord, SCHEMA_VERSION, Sample, SampleReader, SampleWriter, check_run_name,
    write_claims, write_summary,
};
use tare_runner::LoadName;
use tare_stats::{Judged, Reference, Summary, judge, summarise, with_derived};

use crate::latencies::LatencyLog;
use crate::screen::say;

const RECORD: &str = "run.json";
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

/// A run as its files have it.
pub struct Run {
    /// The name of its folder, after which its report's folder is called. A copy has another one than its record.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its record.
    pub record: RunRecord,
    /// Its samples, with what is derived from them.
    pub samples: Vec<Sample>,
}

/// Reads a run by its name under results/, or by the path of its folder. Metrics of a later version are told and left out.
///
/// # Errors
/// When there is none, it is of another version, or a file of it cannot be read.
pub fn read(results: &Path, run: &str) -> Result<Run> {
    let named = results.join(run);
    let folder = if named.is_dir() { named } else { PathBuf::from(run) };
    if !folder.join(RECORD).is_file() {
        bail!("there is no run `{run}` in {}: {}", results.display(), known(results)?);
    }
    let record: RunRecord = {
        let path = folder.join(RECORD);
        let json: serde_json::Value =
            serde_json::from_slice(&contents(&path)?).with_context(|| format!("{} is not JSON", path.display()))?;
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
    let name = fs::canonicalize(&folder)?.file_name().unwrap_or_default().to_string_lossy().into_owned();
    check_run_name(&name).map_err(|what| anyhow!("the folder {}: {what}", folder.display()))?;
    ensure!(name != LATEST, "the folder {} has the name of the link to the newest run: rename it", folder.display());
    check_run_name(&record.run).map_err(|what| anyhow!("{}: {what}", folder.join(RECORD).display()))?;
    let path = folder.join(SAMPLES);
    let (samples, unknown) = SampleReader::read_known(&contents(&path)?[..])
        .with_context(|| format!("{} cannot be read", path.display()))?;
    for metric in unknown {
        say(&format!(
            "{}: the metric `{}` is not one of this version, and is left out",
            path.display(),
            metric.escape_debug()
        ));
    }
    let samples = with_derived(&samples);
    Ok(Run { name, folder, record, samples })
}

/// The most bytes of a file of a run. A run of all suites together writes a hundredth of it.
const MOST_BYTES: u64 = 256 << 20;

/// A file of a run, whole. It may come from anywhere, so it has to be a file, and of a size that runs have.
fn contents(path: &Path) -> Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    ensure!(metadata.is_file(), "{} is not a regular file", path.display());
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    let mebibytes = MOST_BYTES >> 20;
    ensure!(bytes.len() as u64 <= MOST_BYTES, "{} is larger than {mebibytes} MiB: no run writes that", path.display());
    Ok(bytes)
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

fn known(results: &Path) -> Result<String> {
    let (names, _) = folders(results)?;
    Ok(if names.is_empty() {
        "there is none yet; `compare` makes one".into()
    } else {
        format!("there are {}", names.join(", "))
    })
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

    /// The files of a small run, with its record changed by `change`.
    fn run_at(folder: &Path, change: impl Fn(&mut serde_json::Value)) {
        let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/record/small.json");
        let mut record = serde_json::from_slice(&fs::read(seed).unwrap()).unwrap();
        change(&mut record);
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(RECORD), record.to_string()).unwrap();
        fs::write(folder.join(SAMPLES), "").unwrap();
    }

    #[test]
    fn a_run_from_elsewhere_names_no_folder_but_its_own() {
        let results = tempfile::tempdir().unwrap();
        let error = || format!("{:#}", read(results.path(), "a").err().unwrap());
        run_at(&results.path().join("a"), |_| {});
        assert!(read(results.path(), "a").unwrap().samples.is_empty());
        for name in ["../../elsewhere", "/tmp/x", "", ".", "..", "a\u{1b}[0m", &"a".repeat(300)] {
            run_at(&results.path().join("a"), |record| record["run"] = name.into());
            assert!(error().contains("is not a run's name"), "{name}: {}", error());
        }
        run_at(&results.path().join("a"), |record| record["plan"]["subjects"][0]["service"] = "a/../b".into());
        assert!(error().contains("is not a name"), "{}", error());
    }

    #[test]
    fn what_is_no_regular_file_is_not_read() {
        let results = tempfile::tempdir().unwrap();
        run_at(&results.path().join("a"), |_| {});
        let samples = results.path().join("a").join(SAMPLES);
        fs::remove_file(&samples).unwrap();
        // One that hangs for ever who waits for its other end.
        let made = std::process::Command::new("mkfifo").arg(&samples).status().unwrap();
        assert!(made.success());
        let error = format!("{:#}", read(results.path(), "a").err().unwrap());
        assert!(error.contains("samples.csv is not a regular file"), "{error}");
    }

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
