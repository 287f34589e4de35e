use super::{Better, Group, Metric, Unit};

/// Requests of a load that were not answered rightly: wrong status or body, refused, cut, timed out; phases `open`,
/// `closed`, and `sweep` where there were any at a rate of the sweep (`at`, in requests per second).
pub const LOAD_ERRORS: Metric = Metric {
    name: "load_errors",
    group: Group::Load,
    unit: Unit::Count,
    better: Better::Lower,
    headline: Some("closed"),
    summary: "requests of a load that were not answered rightly",
};
