//! Summaries of cells, and `summary.csv`.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

/// A closed interval in the unit of what it is an interval of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A row of `summary.csv`: one cell (subject x metric) and phase. Empty fields are what could not be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SummaryRow {
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
    /// The part of the metric.
    pub phase: String,
    /// See [`crate::Phase::at`].
    pub at: Option<f64>,
    /// The unit of `median`, `ci_low` and `ci_high`.
    pub unit: String,
    /// The number of rounds that have a value.
    pub n: usize,
    /// The median over rounds.
    pub median: f64,
    /// Lower end of the median's interval.
    pub ci_low: Option<f64>,
    /// Upper end of the median's interval.
    pub ci_high: Option<f64>,
    /// The median over rounds of the value over the reference's value in the same round.
    pub ratio: Option<f64>,
    /// Lower end of the ratio's interval.
    pub ratio_ci_low: Option<f64>,
    /// Upper end of the ratio's interval.
    pub ratio_ci_high: Option<f64>,
}

/// Writes a whole `summary.csv`.
pub fn write_summary(writer: impl Write, rows: &[SummaryRow]) -> Result<(), csv::Error> {
    let mut csv = csv::Writer::from_writer(writer);
    rows.iter().try_for_each(|row| csv.serialize(row))?;
    csv.flush()?;
    Ok(())
}

/// Reads a whole `summary.csv`.
pub fn read_summary(reader: impl Read) -> Result<Vec<SummaryRow>, csv::Error> {
    csv::Reader::from_reader(reader).deserialize().collect()
}
