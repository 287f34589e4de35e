use super::{Better, Group, Metric, Unit};

/// Memory of N instances that run beside each other and have each answered: of components in one host, of processes, or
/// of containers. `at` is N. Phases `service` (proportional set size of the processes that run them), `engine` (of what the
/// engine runs beside each: shim, port proxy), `total` (both), `daemons` (of what the engine runs for all, whose heaps
/// grow and shrink by more than an instance adds), `cgroup` (what their cgroups are charged).
pub const MEMORY_INSTANCES: Metric = Metric {
    name: "memory_instances",
    group: Group::Density,
    unit: Unit::Bytes,
    better: Better::Lower,
    // How many instances there are differs from suite to suite.
    headline: None,
    summary: "memory of several instances beside each other",
};

/// What each further instance takes: the slope of [`MEMORY_INSTANCES`] over their number by least squares, of each round;
/// phases `service`, `engine`, `total`, `daemons`, `cgroup`. What the engine's daemons grow by is in none but `daemons`: their
/// heaps move by more than an instance adds. Derived from the samples, not sampled.
pub const MEMORY_PER_INSTANCE: Metric = Metric {
    name: "memory_per_instance",
    group: Group::Density,
    unit: Unit::Bytes,
    better: Better::Lower,
    headline: Some("total"),
    summary: "what each further instance takes, without the engine's daemons: the slope of memory over their number",
};
