//! Who hears what a run finds, as it finds it.

use anyhow::Result;
use tare_model::{Group, RunRecord, Sample, Subject};

/// Where samples and the record go, who judges them, and who is told how far the run is. The runner itself writes no
/// results, computes no statistic and prints nothing.
pub trait Observer {
    /// A sample was taken. It is to be safe before this returns: the next one is taken after it.
    fn sample(&mut self, sample: &Sample) -> Result<()>;

    /// The record has changed.
    fn record(&mut self, record: &RunRecord) -> Result<()>;

    /// How many more rounds the headline figure of a family of metrics wants of a subject until it is precise within this
    /// share of itself, judged by the samples so far: 0 where it is, nothing where it has no value and will not have one.
    /// Who does not judge wants every round.
    fn rounds_wanted(&mut self, _subject: &Subject, _group: Group, _precision: f64) -> Option<usize> {
        Some(1)
    }

    /// A step begins.
    fn progress(&mut self, progress: &Progress);
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub what: String,
    /// The share of the measuring that is done, and the seconds that are left; nothing while it builds.
    pub measured: Option<Measured>,
}

/// How far the measuring is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Between 0 and 1.
    pub share: f64,
    /// Seconds until it is done, judged by what the steps took so far.
    pub left_s: f64,
}

impl Progress {
    /// A step outside the measuring.
    pub fn step(what: impl Into<String>) -> Self {
        Self { what: what.into(), measured: None }
    }
}
