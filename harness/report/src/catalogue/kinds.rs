//! The ways in which an entry is shown.

use tare_model::Metric;

use crate::charts::AxisScale;

/// A column of the tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub title: &'static str,
    pub kind: CellKind,
}

/// What the cells of a column look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellKind {
    /// The value and its ratio; every subject has it.
    Plain,
    /// A start with a warm engine: a subject without it has its cold start instead.
    Warm,
    /// The engine's share of memory: besides the subject's processes, or within them, which is another phase of the metric.
    Engine { within: &'static str },
    /// Only some platforms have it; no ratio.
    Partial,
}

/// What the terminal has below the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below {
    /// For each subject the phases that add up to the entry's, under this heading.
    Phases(&'static str),
    /// A column for each rate of the sweep.
    Sweep,
}

/// What identifies a chart and says what it shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heading {
    /// Its name as a file, after that of the service.
    pub name: &'static str,
    pub title: &'static str,
    /// What there is to know to read it.
    pub says: &'static str,
}

/// A chart of the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chart {
    pub heading: Heading,
    pub kind: ChartKind,
}

/// How a chart is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ChartKind {
    /// A dot for each subject, with how far it may be off.
    Dots,
    /// A dot for each sample.
    Samples,
    /// A bar for each subject of the phases that add up to the entry's, as shares of this whole.
    Phases(&'static str),
    /// A bar for each subject of these parts.
    Parts(Parts),
    /// A line for each subject along the second dimension of the phase.
    Along(Along),
    /// A line for each subject over phases that are shares of all requests.
    Percentiles(Percentiles),
}

/// The parts of a value: of which metric and phase each is.
pub(crate) type Part = (&'static str, &'static Metric, &'static str);

/// What a value consists of, and what is added to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    /// What all of it is called.
    pub whole: &'static str,
    /// Whether parts are shown as shares of their whole.
    pub shares: bool,
    /// What is left of the value without the parts within it.
    pub rest: &'static str,
    /// What is a part of the value.
    pub within: &'static [Part],
    /// What is no part of it, and added.
    pub added: &'static [Part],
}

/// What lies along the axes of lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Along {
    /// What the second dimension of the phase is, its unit, and how it is laid out.
    pub x: (&'static str, &'static str, AxisScale),
    /// What the values are, and how they are laid out.
    pub y: (&'static str, AxisScale),
    /// Whether a line ends where not all rounds of the subject have a value.
    pub in_all_rounds: bool,
    /// Whether the service's latency objective is drawn.
    pub objective: bool,
}

/// Phases that are shares of all requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Percentiles {
    /// What the values are.
    pub y: &'static str,
    /// What the shares are of.
    pub x: &'static str,
    /// Each phase with its share.
    pub phases: &'static [(&'static str, &'static str)],
}

/// What is compared in the answer. Which direction wins is the metric's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    /// What winning it means; `{}` is a factor.
    pub wins: &'static str,
    /// What being the best of several means.
    pub best: &'static str,
    /// What is asked about.
    pub called: &'static str,
}
