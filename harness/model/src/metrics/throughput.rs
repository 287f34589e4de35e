use super::{Better, Group, Metric, Unit};

/// The share of an open loop's rate below which a subject did not keep up with it: a queue grew.
pub const KEPT_UP: f64 = 0.95;

/// Right answers per second; phases `closed` (every connection always busy) and `open` (at the rate common to all).
pub const THROUGHPUT: Metric = Metric {
    name: "throughput",
    group: Group::Load,
    unit: Unit::RequestsPerSecond,
    better: Better::Higher,
    headline: Some("closed"),
    summary: "right answers per second",
};
