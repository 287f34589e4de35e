//! Reading runs, which may come from anywhere: their names are checked, their sizes bounded, and what a later version wrote
//! into them is told.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use fs_err::{self as fs, File};
use tare_model::{RunRecord, SCHEMA_VERSION, Sample, SampleReader, Unknown, check_run_name, read_record};
use tare_stats::with_derived;

use super::{LATEST, RECORD, SAMPLES, folders};
use crate::screen::say;

/// A run as its files have it.
pub struct Run {
    /// The name of its folder, after which its report's folder is called. A copy has another one than its record.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its record. What this version does not know of its files is among the warnings.
    pub record: RunRecord,
    /// Its samples, with what is derived from them.
    pub samples: Vec<Sample>,
}

/// Reads a run by its name under results/, or by the path of its folder. What a later version wrote under the same schema and
/// this one does not know is told and left out.
///
/// # Errors
/// When there is none, it is of another schema, or a file of it cannot be read.
pub fn read(results: &Path, run: &str) -> Result<Run> {
    let named = results.join(run);
    let folder = if named.is_dir() { named } else { PathBuf::from(run) };
    if !folder.join(RECORD).is_file() {
        bail!("there is no run `{run}` in {}: {}", results.display(), known(results)?);
    }
    let path = folder.join(RECORD);
    let (mut record, unknown) = record(&path)?;
    let name = fs::canonicalize(&folder)?.file_name().unwrap_or_default().to_string_lossy().into_owned();
    check_run_name(&name).map_err(|what| anyhow!("the folder {}: {what}", folder.display()))?;
    ensure!(name != LATEST, "the folder {} has the name of the link to the newest run: rename it", folder.display());
    check_run_name(&record.run).map_err(|what| anyhow!("{}: {what}", path.display()))?;
    let mut warnings = told(&path, &unknown);
    let path = folder.join(SAMPLES);
    let mut bytes = contents(&path)?;
    if let Some(line) = without_torn_line(&mut bytes) {
        let text = format!("the file ends within line {line}, which is left out: a number may lack its end");
        say(&format!("warning: {}: {text}", path.display()));
        warnings.push(format!("{SAMPLES}: {text}"));
    }
    let (samples, unknown) =
        SampleReader::read_known(&bytes[..]).with_context(|| format!("{} cannot be read", path.display()))?;
    warnings.extend(told(&path, &unknown));
    record.warnings.extend(warnings);
    Ok(Run { name, folder, record, samples: with_derived(&samples) })
}

/// Removes what comes after the last end of a line, as a writer leaves it that was ended in the midst of one. Returns the number of
/// the line that it was of; `None` where nothing did.
fn without_torn_line(bytes: &mut Vec<u8>) -> Option<usize> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let is_torn = whole < bytes.len();
    bytes.truncate(whole);
    // What comes after the last end is a part, too: of nothing.
    is_torn.then(|| bytes.split(|byte| *byte == b'\n').count())
}

fn record(path: &Path) -> Result<(RunRecord, Vec<Unknown>)> {
    let json: serde_json::Value =
        serde_json::from_slice(&contents(path)?).with_context(|| format!("{} is not JSON", path.display()))?;
    let version = json.get("schema_version").and_then(serde_json::Value::as_u64);
    ensure!(
        version == Some(SCHEMA_VERSION.into()),
        "{} has the schema version {}, and this program reads {SCHEMA_VERSION}: use the version that wrote it, or measure \
         again",
        path.display(),
        version.map_or_else(|| "none".to_owned(), |version| version.to_string())
    );
    read_record(json).with_context(|| format!("{} is not a run's record", path.display()))
}

/// The most unknown words of a file that are told one by one.
const MOST_TOLD: usize = 10;

/// Says what this version does not know of a file, and returns it for the report.
fn told(path: &Path, unknown: &[Unknown]) -> Vec<String> {
    let mut told: Vec<String> = unknown.iter().take(MOST_TOLD).map(Unknown::to_string).collect();
    if let Some(more @ 1..) = unknown.len().checked_sub(MOST_TOLD) {
        told.push(format!("{more} more words are not known to this version"));
    }
    for text in &told {
        say(&format!("warning: {}: {text}", path.display()));
    }
    // A report is published: where the file lies here is nobody's business.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    told.iter().map(|text| format!("{name}: {text}")).collect()
}

/// The most bytes of a file of a run: several times what the longest suite on all services writes. What is worked out of its rows
/// takes many times as much memory.
const MOST_BYTES: u64 = 16 << 20;

/// A file of a run, whole. It may come from anywhere, so it has to be a file, and of a size that runs have.
pub(super) fn contents(path: &Path) -> Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    ensure!(metadata.is_file(), "{} is not a regular file", path.display());
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    let mebibytes = MOST_BYTES >> 20;
    ensure!(bytes.len() as u64 <= MOST_BYTES, "{} is larger than {mebibytes} MiB: no run writes that", path.display());
    Ok(bytes)
}

fn known(results: &Path) -> Result<String> {
    let (names, _) = folders(results)?;
    Ok(if names.is_empty() {
        "there is none yet; `compare` makes one".into()
    } else {
        format!("there are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for name in ["a/../b", "=1", "+1", "-1", "@a", "*a*", "<a>"] {
            run_at(&results.path().join("a"), |record| record["plan"]["subjects"][0]["service"] = name.into());
            assert!(error().contains("is not a name"), "{name}: {}", error());
        }
    }

    #[test]
    fn what_a_later_version_wrote_is_left_out_and_told_in_the_report() {
        let results = tempfile::tempdir().unwrap();
        let folder = results.path().join("a");
        run_at(&folder, |record| {
            record["state"] = "paused".into();
            record["isolation"][0]["outcome"] = "mostly".into();
        });
        let rows = ["energy,total,,joules,3", "startup_cold,total,,ns,5"]
            .map(|row| format!("a,1,1,auth,rust,native,process,{row}\n"));
        let heading = "run,round,position,service,implementation,platform,variant,metric,phase,at,unit,value\n";
        fs::write(folder.join(SAMPLES), heading.to_owned() + &rows.concat()).unwrap();
        let run = read(results.path(), "a").unwrap();
        assert_eq!((run.samples.len(), run.record.isolation.len()), (1, 0));
        assert_eq!(
            run.record.warnings[1..],
            [
                "run.json: the outcome `mostly` is not known to this version, and is left out (once)",
                "run.json: the state `paused` is not known to this version, and is shown as such (once)",
                "samples.csv: the metric `energy` is not known to this version, and is left out (once)",
            ]
        );
    }

    #[test]
    fn a_number_that_lacks_its_end_is_no_number() {
        let results = tempfile::tempdir().unwrap();
        let folder = results.path().join("a");
        run_at(&folder, |_| {});
        let rows = "a,1,1,auth,rust,native,process,startup_cold,total,,ns,305432\n".repeat(2);
        let heading = "run,round,position,service,implementation,platform,variant,metric,phase,at,unit,value\n";
        let text = heading.to_owned() + &rows;
        fs::write(folder.join(SAMPLES), &text[..text.len() - 3]).unwrap();
        let run = read(results.path(), "a").unwrap();
        assert_eq!(run.samples.iter().map(|sample| sample.value).collect::<Vec<_>>(), [305_432.0]);
        assert!(run.record.warnings.iter().any(|text| text.contains("samples.csv: the file ends within line 3")));
        fs::write(folder.join(SAMPLES), "").unwrap();
        assert!(read(results.path(), "a").unwrap().samples.is_empty());
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
}
