use super::{Better, Group, Metric, Unit};

/// The highest rate, of a ladder of rates common to all subjects of a service, at which the 99th percentile of the latency
/// stayed within the service's objective and no answer was wrong; 0 where it did at none. Phase `p99`.
pub const SUSTAINED_RATE: Metric = Metric {
    name: "sustained_rate",
    group: Group::Load,
    unit: Unit::RequestsPerSecond,
    better: Better::Higher,
    headline: "p99",
    summary: "highest rate of the ladder at which the 99th percentile stayed within the service's objective",
};

/// Latency at each rate of the ladder up to the first at which the objective was missed, from the moment at which a request
/// was due; phases `p50@RATE` and `p99@RATE`, the rate in requests per second.
pub const LADDER_LATENCY: Metric = Metric {
    name: "ladder_latency",
    group: Group::Load,
    unit: Unit::Nanoseconds,
    better: Better::Lower,
    // Which rates there are differs from run to run, so no one of them stands for all.
    headline: "",
    summary: "latency at each rate of the ladder, from the moment a request was due",
};

/// How long a load ran before a loop until it was steady, by the rule that METHODOLOGY states; none of it is in any other
/// figure. Phases `open`, `closed`.
pub const WARM_UP: Metric = Metric {
    name: "warm_up",
    group: Group::Load,
    unit: Unit::Nanoseconds,
    better: Better::Lower,
    headline: "open",
    summary: "how long a load ran until it was steady",
};
