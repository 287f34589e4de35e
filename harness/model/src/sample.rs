//! Samples: the raw product of a run, and `samples.csv`.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use crate::cells::{RowWriter, unquoted};
use crate::later::{LEFT_OUT, Tally, is_known};
use crate::{Metric, Phase, Subject, Unit, Unknown};

/// One value of a metric, of one subject, in one round.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The round, from 1; 0 for what is taken once per run (sizes).
    pub round: u32,
    /// The subject's place in the order of its round, from 1; 0 where there is no order.
    pub position: u32,
    /// Whose value this is.
    pub subject: Subject,
    /// What it is a value of.
    pub metric: &'static Metric,
    /// The part of the metric.
    pub phase: Phase,
    /// The value in the metric's unit.
    pub value: f64,
}

/// A row of `samples.csv`: the wire form of a [`Sample`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The run's name.
    pub run: String,
    /// See [`Sample::round`].
    pub round: u32,
    /// See [`Sample::position`].
    pub position: u32,
    /// The subject's service.
    pub service: String,
    /// The subject's implementation.
    pub implementation: String,
    /// The subject's platform.
    pub platform: String,
    /// The subject's variant.
    pub variant: String,
    /// The metric's name.
    pub metric: String,
    /// The phase's name.
    pub phase: String,
    /// See [`Phase::at`].
    pub at: Option<f64>,
    /// The metric's unit.
    pub unit: String,
    /// The value in that unit.
    pub value: f64,
}

impl Row {
    /// The wire form of a sample of the run with this name.
    pub fn new(run: &str, sample: &Sample) -> Self {
        let Sample { round, position, subject, metric, phase, value } = sample;
        Self {
            run: run.into(),
            round: *round,
            position: *position,
            service: subject.service.clone(),
            implementation: subject.implementation.clone(),
            platform: subject.platform.clone(),
            variant: subject.variant.clone(),
            metric: metric.name.into(),
            phase: phase.name.clone(),
            at: phase.at,
            unit: metric.unit.name().into(),
            value: *value,
        }
    }
}

/// A row or a file that cannot be read as samples.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The row is not valid csv, or a field is missing or of the wrong type.
    #[error("row {row}: {source}")]
    Csv {
        /// The line's number among the data rows, from 1.
        row: u64,
        /// What the csv reader said.
        source: csv::Error,
    },
    /// The metric is not one that this version knows.
    #[error("row {row}: unknown metric `{metric}`; was the file written by another version?")]
    Metric {
        /// The line's number among the data rows, from 1.
        row: u64,
        /// The name that is not in the registry.
        metric: String,
    },
    /// The value's unit is not the metric's.
    #[error("row {row}: `{metric}` is measured in {expected}, not in {found}")]
    Unit {
        /// The line's number among the data rows, from 1.
        row: u64,
        /// The metric's name.
        metric: String,
        /// The metric's unit.
        expected: &'static str,
        /// The row's unit.
        found: String,
    },
    /// A value, or where on its second dimension it was taken, is none that a measurement can give.
    #[error(
        "row {row}: {value} is not a possible value of `{metric}`: it is a finite number, not negative, up to {MOST:e}"
    )]
    Impossible {
        /// The line's number among the data rows, from 1.
        row: u64,
        /// The metric's name.
        metric: String,
        /// The value.
        value: f64,
    },
    /// A name of the row is none.
    #[error("row {row}: {reason}")]
    Name {
        /// The line's number among the data rows, from 1.
        row: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The file does not begin with the heading.
    #[error("it does not begin with the heading of samples, `{HEADING}`")]
    Heading,
}

/// The first line of a file of samples.
const HEADING: &str = "run,round,position,service,implementation,platform,variant,metric,phase,at,unit,value";

/// The greatest value that is believed: in nanoseconds 32 years, in bytes an exabyte. All metrics are sizes, times, counts and
/// rates.
const MOST: f64 = 1e18;

/// The most characters of a phase's name.
const LONGEST_PHASE: usize = 128;

/// Writes samples, a whole row at a time, each flushed before the call returns: a run cut short keeps all of them.
pub struct SampleWriter<W: Write> {
    run: String,
    csv: RowWriter<W>,
}

impl<W: Write> SampleWriter<W> {
    /// A writer of the samples of the run with this name. The heading is written with the first sample.
    pub fn new(run: &str, writer: W) -> Self {
        Self { run: run.into(), csv: RowWriter::new(writer) }
    }

    /// Where the samples go.
    pub fn get_ref(&self) -> &W {
        self.csv.get_ref()
    }

    /// Appends a sample and flushes it.
    pub fn write(&mut self, sample: &Sample) -> Result<(), csv::Error> {
        self.csv.write(&Row::new(&self.run, sample))?;
        self.csv.flush()
    }
}

/// Reads samples; see [`SampleReader::read`].
pub struct SampleReader;

impl SampleReader {
    /// Reads all samples of a `samples.csv`. A last line without its newline, as a killed run leaves it, is dropped.
    ///
    /// # Errors
    /// The first row that cannot be read, or that has a metric, a unit or a column that this version does not know.
    pub fn read(reader: impl Read) -> Result<Vec<Sample>, RowError> {
        Self::each(reader, |error, _| Err(error))
    }

    /// As [`read`](Self::read), without what this version does not know of a file that a later one may have written: rows of
    /// a metric or in a unit, and columns beside its own. Tells what that was.
    ///
    /// # Errors
    /// The first row that cannot be read.
    pub fn read_known(reader: impl Read) -> Result<(Vec<Sample>, Vec<Unknown>), RowError> {
        let mut tally = Tally::default();
        let samples = Self::each(reader, |error, columns| {
            match error {
                RowError::Metric { metric, .. } => tally.add("metric", &metric, LEFT_OUT),
                RowError::Unit { found, .. } if !is_known::<Unit>(&found) => tally.add("unit", &found, LEFT_OUT),
                RowError::Heading if !columns.is_empty() => {
                    for column in columns {
                        tally.add("column", column, LEFT_OUT);
                    }
                }
                error => return Err(error),
            }
            Ok(())
        })?;
        Ok((samples, tally.unknown()))
    }

    /// The samples of all rows. What is wrong is left out where `forgive` allows it, which is handed the columns of the
    /// heading beside those that are known, if all of these come first.
    fn each(
        mut reader: impl Read,
        mut forgive: impl FnMut(RowError, &[String]) -> Result<(), RowError>,
    ) -> Result<Vec<Sample>, RowError> {
        let mut text = Vec::new();
        reader.read_to_end(&mut text).map_err(|error| RowError::Csv { row: 0, source: error.into() })?;
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        // A run that was killed may have left a part of its first line.
        if whole == 0 && HEADING.as_bytes().starts_with(&text) {
            return Ok(Vec::new());
        }
        let mut csv = csv::Reader::from_reader(&text[..whole]);
        match csv.headers().map(further_columns) {
            Ok(Some(further)) if further.is_empty() => {}
            Ok(further) => forgive(RowError::Heading, &further.unwrap_or_default())?,
            Err(_) => return Err(RowError::Heading),
        }
        let mut samples = Vec::new();
        for (row, number) in csv.deserialize::<Row>().zip(1..) {
            let row = row.map_err(|source| RowError::Csv { row: number, source });
            match row.and_then(|row| sample(row, number)) {
                Ok(sample) => samples.push(sample),
                Err(error) => forgive(error, &[])?,
            }
        }
        Ok(samples)
    }
}

/// The columns after those that are known; `None` where these do not come first.
fn further_columns(heading: &csv::StringRecord) -> Option<Vec<String>> {
    let mut columns = heading.iter();
    let is_known = HEADING.split(',').all(|known| columns.next() == Some(known));
    is_known.then(|| columns.map(str::to_owned).collect())
}

fn sample(row: Row, number: u64) -> Result<Sample, RowError> {
    let Some(metric) = Metric::by_name(&row.metric) else {
        return Err(RowError::Metric { row: number, metric: row.metric });
    };
    if row.unit != metric.unit.name() {
        let expected = metric.unit.name();
        return Err(RowError::Unit { row: number, metric: row.metric, expected, found: row.unit });
    }
    if let Some(value) = [Some(row.value), row.at].into_iter().flatten().find(|value| !(0.0..=MOST).contains(value)) {
        return Err(RowError::Impossible { row: number, metric: row.metric, value });
    }
    if row.phase.chars().count() > LONGEST_PHASE || row.phase.contains(char::is_control) {
        let reason = format!("a phase's name has up to {LONGEST_PHASE} characters, none of them a control character");
        return Err(RowError::Name { row: number, reason });
    }
    let Row { service, implementation, platform, variant, .. } = row;
    let subject = Subject { service, implementation, platform, variant };
    subject.check().map_err(|reason| RowError::Name { row: number, reason })?;
    let phase = Phase { name: unquoted(&row.phase).to_owned(), at: row.at };
    Ok(Sample { round: row.round, position: row.position, subject, metric, phase, value: row.value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::STARTUP_COLD;

    fn written(samples: &[Sample]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = SampleWriter::new("r1", &mut bytes);
        for sample in samples {
            writer.write(sample).unwrap();
        }
        drop(writer);
        bytes
    }

    fn example() -> Sample {
        Sample {
            round: 2,
            position: 7,
            subject: Subject::new("auth", "docker", "scratch"),
            metric: &STARTUP_COLD,
            phase: "total".into(),
            value: 84_000_000.5,
        }
    }

    #[test]
    fn samples_round_trip() {
        let samples = [example(), Sample { phase: Phase::at("total", 4.0), ..example() }];
        let bytes = written(&samples);
        insta::assert_snapshot!(String::from_utf8_lossy(&bytes), @r"
        run,round,position,service,implementation,platform,variant,metric,phase,at,unit,value
        r1,2,7,auth,rust,docker,scratch,startup_cold,total,,ns,84000000.5
        r1,2,7,auth,rust,docker,scratch,startup_cold,total,4.0,ns,84000000.5
        ");
        assert_eq!(SampleReader::read(&bytes[..]).unwrap(), samples);
    }

    #[test]
    fn a_row_cut_short_by_a_kill_is_dropped() {
        let mut bytes = written(&[example(), example()]);
        bytes.truncate(bytes.len() - 5);
        assert_eq!(SampleReader::read(&bytes[..]).unwrap(), [example()]);
        assert_eq!(SampleReader::read(&b""[..]).unwrap(), []);
    }

    #[test]
    fn a_foreign_metric_or_unit_is_refused_by_name() {
        let text = String::from_utf8(written(&[example()])).unwrap();
        let metric = SampleReader::read(text.replace("startup_cold", "speed").as_bytes()).unwrap_err();
        assert!(metric.to_string().contains("unknown metric `speed`"), "{metric}");
        let unit = SampleReader::read(text.replace(",ns,", ",ms,").as_bytes()).unwrap_err();
        assert_eq!(unit.to_string(), "row 1: `startup_cold` is measured in ns, not in ms");
        for value in ["NaN", "inf", "-inf", "-1", "1e308"] {
            let error = SampleReader::read(text.replace("84000000.5", value).as_bytes()).unwrap_err().to_string();
            assert!(
                error.starts_with("row 1: ") && error.contains("is not a possible value of `startup_cold`"),
                "{error}"
            );
        }
    }

    #[test]
    fn rows_of_a_later_version_are_kept_apart_and_named() {
        let text = String::from_utf8(written(&[example(), example()])).unwrap();
        let later = text.replacen("startup_cold", "energy", 1);
        let (samples, unknown) = SampleReader::read_known(later.as_bytes()).unwrap();
        assert_eq!(samples, [example()]);
        assert_eq!(unknown[0].to_string(), "the metric `energy` is not known to this version, and is left out (once)");
        let (samples, unknown) = SampleReader::read_known(text.replace(",ns,", ",ms,").as_bytes()).unwrap();
        assert_eq!((samples.len(), unknown[0].name.as_str(), unknown[0].count), (0, "ms", 2));
        let wrong = SampleReader::read_known(text.replace(",ns,", ",bytes,").as_bytes()).unwrap_err();
        assert!(wrong.to_string().contains("measured in ns, not in bytes"), "{wrong}");
    }

    #[test]
    fn columns_of_a_later_version_are_left_out_and_named() {
        let text = String::from_utf8(written(&[example(), example()])).unwrap();
        let lines = text.lines().zip(["joules", "3", "4"]).map(|(line, more)| format!("{line},{more}\n"));
        let later = lines.collect::<Vec<_>>().concat();
        let (samples, unknown) = SampleReader::read_known(later.as_bytes()).unwrap();
        assert_eq!((samples, unknown[0].name.as_str()), (vec![example(), example()], "joules"));
        assert!(SampleReader::read(later.as_bytes()).is_err());
        let moved = later.replacen("run,", "joules,", 1);
        assert!(SampleReader::read_known(moved.as_bytes()).is_err());
    }

    #[test]
    fn a_phase_that_looks_like_a_formula_is_text_in_the_file_and_itself_again_when_it_is_read() {
        let sample = Sample { phase: "=HYPERLINK(1)".into(), ..example() };
        let bytes = written(std::slice::from_ref(&sample));
        assert!(String::from_utf8_lossy(&bytes).contains(",startup_cold,'=HYPERLINK(1),,ns,"));
        assert_eq!(SampleReader::read(&bytes[..]).unwrap(), [sample]);
    }

    #[test]
    fn names_that_could_do_harm_are_refused() {
        let text = String::from_utf8(written(&[example()])).unwrap();
        for name in [
            "=HYPERLINK(1)",
            "+1",
            "-1",
            "@a",
            "*a*",
            "`a`",
            "<a>",
            "[a](b)",
            "../../elsewhere",
            "a/b",
            "\u{1b}[31m",
            "",
            &"a".repeat(300),
        ] {
            let error = SampleReader::read(text.replace(",auth,", &format!(",{name},")).as_bytes()).unwrap_err();
            assert!(error.to_string().contains("is not a name"), "{error}");
        }
        for phase in ["\u{7}", &"a".repeat(300)] {
            let error = SampleReader::read(text.replace(",total,", &format!(",{phase},")).as_bytes()).unwrap_err();
            assert!(error.to_string().contains("a phase's name"), "{error}");
        }
    }

    #[test]
    fn a_file_without_its_heading_is_no_empty_run() {
        let text = String::from_utf8(written(&[example()])).unwrap();
        let body = text.lines().nth(1).unwrap();
        for damaged in [format!("{body}\n"), text.replace('\n', "\r"), "something\nelse\n".into(), "no newline".into()]
        {
            let error = SampleReader::read(damaged.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("heading"), "{damaged:?}: {error}");
        }
        assert_eq!(SampleReader::read(text.replace('\n', "\r\n").as_bytes()).unwrap(), [example()]);
        assert_eq!(SampleReader::read(&b"run,rou"[..]).unwrap(), [], "cut short by a kill");
    }
}
