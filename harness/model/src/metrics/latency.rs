use super::{Better, Group, Metric, Unit};

/// Time from the moment at which a request was due to the end of its right answer; phases `open_p50`, `open_p90`,
/// `open_p99`, `open_p999`, `open_max` and the same with `closed_`.
///
/// Each percentile is of as many requests as it takes for ten to be beyond it (p50 20, p90 100, p99 1,000, p999 10,000): of one
/// round, or of several one after another, and then it stands at the last of them. The maximum is that of each round.
///
/// In the open loop the due time is the schedule's, so that a stall counts against every request that it delayed
/// (no coordinated omission). In the closed loop a request is due when its connection is free.
pub const LATENCY: Metric = Metric {
    name: "latency",
    group: Group::Load,
    unit: Unit::Nanoseconds,
    better: Better::Lower,
    headline: Some("open_p99"),
    summary: "time from the moment a request was due to the end of its right answer",
};
