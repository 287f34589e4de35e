use super::{Better, Group, Metric, Unit};

/// Time from the wish to launch to the end of the first right answer with no process of the subject running;
/// phase `total`, and parts that add up to it.
pub const STARTUP_COLD: Metric = Metric {
    name: "startup_cold",
    group: Group::Startup,
    unit: Unit::Nanoseconds,
    better: Better::Lower,
    headline: Some("total"),
    summary: "from launch to the first right answer, nothing of the subject running before",
};

/// The same where the engine already runs: a component deployed into a running Wasm host. A container engine always
/// runs, so a container's warm start is its cold start and is not measured twice.
pub const STARTUP_WARM: Metric = Metric {
    name: "startup_warm",
    group: Group::Startup,
    unit: Unit::Nanoseconds,
    better: Better::Lower,
    headline: Some("total"),
    summary: "from deployment into a running engine to the first right answer",
};
