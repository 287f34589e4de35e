//! Two runs beside each other, as data.

use serde::Serialize;

use crate::{Better, Unit};

/// A run against another: what `report --against` shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The name of the other run.
    pub other: String,
    /// What is different between the runs beside the figures: `machine`, `commit`.
    pub differ: Vec<&'static str>,
    /// The cells, each of a subject and a figure.
    pub cells: Vec<ComparedRow>,
}

/// A cell of two runs. Values are in the unit of files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedRow {
    /// The subject's service.
    pub service: String,
    /// The subject's implementation.
    pub implementation: String,
    /// The subject's platform.
    pub platform: String,
    /// The subject's variant.
    pub variant: String,
    /// The metric's name.
    pub metric: &'static str,
    /// The part of the metric.
    pub phase: &'static str,
    /// The unit of the values.
    pub unit: Unit,
    /// Which direction is an improvement.
    pub better: Better,
    /// In the other run; `None` where it has no such cell.
    pub from: Option<ComparedValue>,
    /// In this run.
    pub to: Option<ComparedValue>,
    /// The median of this run over that of the other; `None` where either is missing, or the other is zero.
    pub ratio: Option<f64>,
    /// What became of it.
    pub verdict: Change,
}

/// A value with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ComparedValue {
    /// The number of rounds that have a value.
    pub n: usize,
    /// The median over rounds.
    pub median: f64,
    /// Lower end of the median's interval; the value itself where it is measured once and no matter of chance.
    pub ci_low: Option<f64>,
    /// Upper end; `None` where there is no interval, or the value is only a lower bound.
    pub ci_high: Option<f64>,
    /// Whether the value is only a lower bound.
    pub at_least: bool,
}

/// What became of a figure from one run to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is worse.
    Regressed,
    /// It is better.
    Improved,
    /// It is the same, as precisely as the runs can tell.
    Unchanged,
    /// The runs cannot tell.
    Inconclusive,
}
