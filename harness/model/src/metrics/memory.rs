use super::{Better, Group, Metric, Unit};

/// Proportional set size of the processes that run the service; phases `idle`, `peak` (sampled under load), `after`.
pub const MEMORY_PSS: Metric = Metric {
    name: "memory_pss",
    group: Group::Memory,
    unit: Unit::Bytes,
    better: Better::Lower,
    headline: Some("idle"),
    summary: "proportional set size of the processes that run the service",
};

/// [`MEMORY_PSS`] over time: readings from the beginning of the open loop's warm-up to the loop's end; phase `pss`, `at` in
/// milliseconds since the first.
pub const MEMORY_TRACE: Metric = Metric {
    name: "memory_trace",
    group: Group::Memory,
    unit: Unit::Bytes,
    better: Better::Lower,
    headline: None,
    summary: "proportional set size of the processes that run the service, over the time of the open loop",
};

/// What the container's cgroup is charged: usage less inactive file cache; phases as of [`MEMORY_PSS`].
pub const MEMORY_CGROUP: Metric = Metric {
    name: "memory_cgroup",
    group: Group::Memory,
    unit: Unit::Bytes,
    better: Better::Lower,
    headline: Some("idle"),
    summary: "what the container's cgroup is charged: usage less inactive file cache",
};

/// Proportional set size of what the engine keeps for this subject apart from it (shim and port proxy of a container);
/// phases as of [`MEMORY_PSS`]. For a Wasm host, phase `empty` is the host before any component is loaded, which is
/// part of its [`MEMORY_PSS`].
pub const MEMORY_ENGINE: Metric = Metric {
    name: "memory_engine",
    group: Group::Memory,
    unit: Unit::Bytes,
    better: Better::Lower,
    headline: Some("idle"),
    summary: "proportional set size of what the engine runs for this subject beside it",
};

/// The most that the kernel ever counted since the instance was started, where a reading at intervals may miss it; phases
/// `rss` (resident set size, summed over the processes that run the service: shared pages count in each) and `cgroup` (charged
/// to the container's cgroup, file cache included).
pub const MEMORY_HIGH_WATER: Metric = Metric {
    name: "memory_high_water",
    group: Group::Memory,
    unit: Unit::Bytes,
    better: Better::Lower,
    headline: Some("rss"),
    summary: "the most memory that the kernel ever counted: resident set size, and charged to the cgroup",
};
