use super::{Better, Group, Metric, Unit};

/// The highest rate, of a sweep of rates common to all subjects of a service, that a subject sustained; 0 for none.
/// A rate is sustained where the 99th percentile of the latency stays within the service's objective, the last answer comes
/// no later than the objective after the last request was due (no queue is left), at least the share [`super::KEPT_UP`] of
/// the requests is answered within the time in which they were due, and no answer is wrong; what fails is tried again before
/// it counts.
///
/// Phases `p99`, and `at_least`: the same once more in a round in which nothing above it was missed, as the sweep ended
/// there or the generator itself was late: what the subject sustains may be more.
pub const SUSTAINED_RATE: Metric = Metric {
    name: "sustained_rate",
    group: Group::Load,
    unit: Unit::RequestsPerSecond,
    better: Better::Higher,
    headline: Some("p99"),
    summary: "highest rate of the sweep at which the 99th percentile stayed within the service's objective, no queue was \
              left, 95 % were answered while requests were due, and no answer was wrong",
};

/// Latency at each rate of the sweep up to the first that was not sustained, from the moment at which a request was due;
/// phases `p50` and `p99`, `at` the rate in requests per second.
pub const SWEEP_LATENCY: Metric = Metric {
    name: "sweep_latency",
    group: Group::Load,
    unit: Unit::Nanoseconds,
    better: Better::Lower,
    // Which rates there are differs from run to run, so no one of them stands for all.
    headline: None,
    summary: "latency at each rate of the sweep, from the moment a request was due",
};
