use super::{Better, Group, Metric, Unit};

/// Right answers per second; phases `closed` (every connection always busy) and `open` (at the rate common to all).
pub const THROUGHPUT: Metric = Metric {
    name: "throughput",
    group: Group::Load,
    unit: Unit::RequestsPerSecond,
    better: Better::Higher,
    headline: "closed",
    summary: "right answers per second",
};
