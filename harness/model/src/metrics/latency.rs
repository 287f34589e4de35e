use super::{Better, Group, Metric, Unit};

/// Time from the moment at which a request was due to the end of its right answer; phases `open_p50`, `open_p90`,
/// `open_p99`, `open_p999`, `open_max` and the same with `closed_`.
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
