use super::{Better, Group, Metric, Unit};

/// CPU time of all the subject's processes, its engine share included, over the requests answered; phases `open`,
/// `closed`.
pub const CPU_PER_REQUEST: Metric = Metric {
    name: "cpu_per_request",
    group: Group::Load,
    unit: Unit::Nanoseconds,
    better: Better::Lower,
    headline: Some("closed"),
    summary: "CPU time of all the subject's processes over the requests answered",
};
