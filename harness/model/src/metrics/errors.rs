use super::{Better, Group, Metric, Unit};

/// Requests of a load that were not answered rightly: wrong status or body, refused, cut, timed out; phases `open`,
/// `closed`, and `ladder@RATE` where there were any at a rate of the ladder (in requests per second).
pub const LOAD_ERRORS: Metric = Metric {
    name: "load_errors",
    group: Group::Load,
    unit: Unit::Count,
    better: Better::Lower,
    headline: "closed",
    summary: "requests of a load that were not answered rightly",
};
