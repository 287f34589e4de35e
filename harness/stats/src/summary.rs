//! What a summary consists of: estimates, cells, and what they are compared with.

use std::collections::BTreeMap;

use tare_model::metrics::SUSTAINED_RATE;
use tare_model::{DEFAULT_IMPLEMENTATION, Interval, Metric, Phase, Subject, SummaryRow, VariantId};

use crate::{Effect, median, median_interval};

/// The confidence of every interval in a summary.
pub const CONFIDENCE: f64 = 0.95;

/// What the ratios of a run are ratios to: a subject for each service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference(BTreeMap<String, Subject>);

impl Reference {
    /// The subjects that the others are compared with, by service.
    pub fn new(subjects: BTreeMap<String, Subject>) -> Self {
        Self(subjects)
    }

    /// The default implementation in one variant, for each of these services.
    pub fn of_services<'a>(services: impl IntoIterator<Item = &'a str>, id: &VariantId) -> Self {
        let subject = |service: &str| (service.to_owned(), id.of(service, DEFAULT_IMPLEMENTATION));
        Self(services.into_iter().map(subject).collect())
    }

    /// The subject that a service's subjects are compared with; `None` where there is none.
    pub fn of(&self, service: &str) -> Option<&Subject> {
        self.0.get(service)
    }

    /// Whether a subject is what others are compared with.
    pub fn is(&self, subject: &Subject) -> bool {
        self.of(&subject.service) == Some(subject)
    }
}

/// A median over rounds and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The number of rounds that have a value.
    pub n: usize,
    /// The median over rounds.
    pub median: f64,
    /// The median's interval at [`CONFIDENCE`], see [`median_interval`]; `None` with fewer than six rounds, where no such
    /// interval exists.
    pub interval: Option<Interval>,
    /// The smallest and the largest value of any round.
    pub range: Interval,
}

impl Estimate {
    /// The estimate from one value per round, or `None` for no round.
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            n: values.len(),
            median: median(values)?,
            interval: median_interval(values, CONFIDENCE),
            range: Interval {
                low: values.iter().copied().fold(f64::INFINITY, f64::min),
                high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            },
        })
    }
}

/// One phase of one metric of one subject, over all rounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Whose it is.
    pub subject: Subject,
    /// What was measured.
    pub metric: &'static Metric,
    /// The part of the metric.
    pub phase: Phase,
    /// In the metric's unit.
    pub value: Estimate,
    /// Each round's value over the reference's value in the same round; `None` where no round has both, or either is only a
    /// lower bound.
    pub ratio: Option<Estimate>,
}

impl Cell {
    /// The cell as a row of `summary.csv`. Ranges are left out: they are no intervals, and `samples.csv` has them.
    pub fn row(&self) -> SummaryRow {
        let Self { subject, metric, phase, value, ratio } = self;
        let ratio_interval = ratio.and_then(|ratio| ratio.interval);
        SummaryRow {
            service: subject.service.clone(),
            implementation: subject.implementation.clone(),
            platform: subject.platform.clone(),
            variant: subject.variant.clone(),
            metric: metric.name.into(),
            phase: phase.name.clone(),
            at: phase.at,
            unit: metric.unit.name().into(),
            n: value.n,
            median: value.median,
            ci_low: value.interval.map(|interval| interval.low),
            ci_high: value.interval.map(|interval| interval.high),
            ratio: ratio.map(|ratio| ratio.median),
            ratio_ci_low: ratio_interval.map(|interval| interval.low),
            ratio_ci_high: ratio_interval.map(|interval| interval.high),
        }
    }
}

/// The cells of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// What the ratios are ratios to.
    pub reference: Reference,
    /// The cells: by service, subject, metric and phase. Services, subjects and the phases of a metric come in the
    /// order in which they first appear in the samples, metrics in the order of [`tare_model::METRICS`].
    pub cells: Vec<Cell>,
    /// What else moved the values.
    pub effects: Vec<Effect>,
}

impl Summary {
    /// The rows of `summary.csv`.
    pub fn rows(&self) -> Vec<SummaryRow> {
        self.cells.iter().map(Cell::row).collect()
    }

    /// Whether a cell's median is a highest sustained rate that nothing was missed above, and so no more than a lower bound:
    /// where half of its rounds or more are such, the median is of them.
    pub fn is_lower_bound(&self, cell: &Cell) -> bool {
        let nothing_missed = || self.cell(&cell.subject, &SUSTAINED_RATE, "at_least");
        cell.metric == &SUSTAINED_RATE && nothing_missed().is_some_and(|bounds| bounds.value.n * 2 >= cell.value.n)
    }

    /// The cell of a subject, a metric and a phase.
    pub fn cell(&self, subject: &Subject, metric: &Metric, phase: impl Into<Phase>) -> Option<&Cell> {
        let phase = phase.into();
        self.cells.iter().find(|cell| cell.phase == phase && cell.metric == metric && cell.subject == *subject)
    }
}
