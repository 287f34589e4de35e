//! Summaries of cells, and `summary.csv`.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use crate::cells::{RowWriter, unquoted};

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
    let mut csv = RowWriter::new(writer);
    rows.iter().try_for_each(|row| csv.write(row))?;
    csv.flush()
}

/// Reads a whole `summary.csv`.
pub fn read_summary(reader: impl Read) -> Result<Vec<SummaryRow>, csv::Error> {
    let rows = csv::Reader::from_reader(reader).into_deserialize::<SummaryRow>();
    rows.map(|row| row.map(|row| SummaryRow { phase: unquoted(&row.phase).to_owned(), ..row })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_that_looks_like_a_formula_is_text_in_the_file() {
        let row = SummaryRow {
            service: "auth".into(),
            implementation: "rust".into(),
            platform: "native".into(),
            variant: "process".into(),
            metric: "startup_cold".into(),
            phase: "=1+1".into(),
            at: None,
            unit: "ns".into(),
            n: 1,
            median: 2.0,
            ci_low: None,
            ci_high: None,
            ratio: Some(1.0),
            ratio_ci_low: None,
            ratio_ci_high: None,
        };
        let mut bytes = Vec::new();
        write_summary(&mut bytes, std::slice::from_ref(&row)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.ends_with("auth,rust,native,process,startup_cold,'=1+1,,ns,1,2.0,,,1.0,,\n"), "{text}");
        assert_eq!(read_summary(&bytes[..]).unwrap(), [row]);
    }
}
