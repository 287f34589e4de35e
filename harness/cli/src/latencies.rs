//! The latencies of every load, whole: from them any percentile can be worked out again. In the format of HDR histograms' own
//! logs, which other tools read too: a line for each load, its histogram compressed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow};
use fs_err::File;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use tare_load::Histogram;
use tare_runner::LoadName;

/// The file in a run's folder.
pub const FILE: &str = "latencies.hlog";

/// What stands at its top.
const ABOUT: &str = "Latencies in nanoseconds, a line for each load of a round: an interval log of HDR histograms. \
                     Tag: SUBJECT;round=N;PHASE or SUBJECT;round=N;sweep;at=REQUESTS_PER_SECOND";

/// A log that is being written.
pub struct LatencyLog {
    path: PathBuf,
    file: File,
    began: Instant,
}

impl LatencyLog {
    /// Begins the log of a run.
    pub fn create(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let mut file = File::create(&path)?;
        let mut builder = IntervalLogWriterBuilder::new();
        builder.add_comment(ABOUT).with_base_time(SystemTime::now()).with_max_value_divisor(1.0);
        let (mut head, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
        builder.begin_log_with(&mut head, &mut serializer)?;
        file.write_all(&head)?;
        Ok(Self { path, file, began: Instant::now() })
    }

    /// Appends the latencies of a load; they are in the file when this returns.
    pub fn write(&mut self, load: &LoadName<'_>, latencies: &Histogram<u64>) -> Result<()> {
        let LoadName { subject, round, phase } = load;
        let at = phase.at.map_or_else(String::new, |at| format!(";at={at}"));
        let name = format!("{subject};round={round};{}{at}", phase.name);
        let tag = Tag::new(&name).with_context(|| format!("`{name}` cannot name a line of a log"))?;
        let mut builder = IntervalLogWriterBuilder::new();
        builder.with_max_value_divisor(1.0);
        let (mut line, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
        let since = self.began.elapsed();
        let mut writer = builder.begin_log_with(&mut line, &mut serializer)?;
        let written = writer.write_histogram(latencies, since, Duration::ZERO, Some(tag));
        written.map_err(|error| anyhow!("the latencies of {name} cannot be written down: {error:?}"))?;
        // A log's head stands before its first line only.
        let text = String::from_utf8(line)?;
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with(['#', '"'])).collect();
        self.file
            .write_all((lines.join("\n") + "\n").as_bytes())
            .with_context(|| format!("cannot append to {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    use tare_model::Phase;

    use super::*;

    #[test]
    fn any_percentile_can_be_worked_out_from_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = LatencyLog::create(folder.path()).unwrap();
        let subject = "orders:go/wasmtime/aot".parse().unwrap();
        for (phase, factor) in [(Phase::from("open"), 1), (Phase::at("sweep", 1200.0), 1000)] {
            let mut latencies = Histogram::<u64>::new(3).unwrap();
            (1..=1000).for_each(|value| latencies.record(value * factor).unwrap());
            log.write(&LoadName { subject: &subject, round: 3, phase: &phase }, &latencies).unwrap();
        }
        let bytes = fs_err::read(folder.path().join(FILE)).unwrap();
        let mut read = Vec::new();
        for entry in IntervalLogIterator::new(&bytes) {
            if let LogEntry::Interval(line) = entry.unwrap() {
                let raw = base64(line.encoded_histogram());
                let latencies: Histogram<u64> = Deserializer::new().deserialize(&mut &raw[..]).unwrap();
                read.push((line.tag().unwrap().as_str().to_owned(), latencies.value_at_quantile(0.37)));
            }
        }
        let expected = [
            ("orders:go/wasmtime/aot;round=3;open".to_owned(), 370),
            ("orders:go/wasmtime/aot;round=3;sweep;at=1200".to_owned(), 370_175),
        ];
        assert_eq!(read, expected);
    }

    /// The bytes of a text in base 64, RFC 4648.
    fn base64(text: &str) -> Vec<u8> {
        let value = |byte: u8| match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        let mut bytes = Vec::new();
        for group in text.trim_end_matches('=').as_bytes().chunks(4) {
            let bits = group
                .iter()
                .enumerate()
                .fold(0_u32, |bits, (place, &byte)| bits | u32::from(value(byte)) << (18 - 6 * place));
            bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
        }
        bytes
    }
}
