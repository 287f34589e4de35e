use super::{Better, Group, Metric, Unit};

/// CPU time of all the subject's processes, its engine share included, over the requests answered; phases `open`,
/// `closed`. The headline is at a rate that is the same for all: at full load a subject that has a CPU to itself uses all of
/// it, so that this is throughput once more.
pub const CPU_PER_REQUEST: Metric = Metric {
    name: "cpu_per_request",
    group: Group::Load,
    unit: Unit::Nanoseconds,
    better: Better::Lower,
    headline: Some("open"),
    summary: "CPU time of all the subject's processes over the requests answered",
};
