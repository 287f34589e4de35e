//! Who hears what a run finds, as it finds it, and who says when it is enough.

use anyhow::Result;
use tare_load::Histogram;
use tare_model::{Group, Phase, RunRecord, Sample, Subject};

/// Where samples and the record go, and who is told how far the run is. The runner itself writes no results, computes no
/// statistic and prints nothing.
pub trait Observer {
    /// A sample was taken. It is to be safe before this returns: the next one is taken after it.
    fn sample(&mut self, sample: &Sample) -> Result<()>;

    /// The latencies of a load of a round, in nanoseconds.
    fn latencies(&mut self, _load: &LoadName<'_>, _latencies: &Histogram<u64>) -> Result<()> {
        Ok(())
    }

    /// The record has changed.
    fn record(&mut self, record: &RunRecord) -> Result<()>;

    /// A step begins.
    fn progress(&mut self, progress: &Progress);
}

/// Which load of a round it was.
#[derive(Debug, Clone, Copy)]
pub struct LoadName<'a> {
    /// The subject.
    pub subject: &'a Subject,
    /// The round.
    pub round: u32,
    /// `open`, `closed`, or `sweep` at a rate.
    pub phase: &'a Phase,
}

/// Judges, from the samples so far, when to stop measuring.
pub trait StoppingRule {
    /// Takes a sample into account.
    fn observe(&mut self, sample: &Sample);

    /// How many more rounds the headline figure of a family of metrics wants of a subject until it is precise enough: 0 where
    /// it is, `None` where it has no value and will not have one.
    fn rounds_wanted(&self, subject: &Subject, group: Group) -> Option<usize>;
}

/// Wants every round that there is.
pub struct EveryRound;

impl StoppingRule for EveryRound {
    fn observe(&mut self, _: &Sample) {}

    fn rounds_wanted(&self, _: &Subject, _: Group) -> Option<usize> {
        Some(1)
    }
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub what: String,
    /// The share of the measuring that is done, and the seconds that are left; `None` while it builds.
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
