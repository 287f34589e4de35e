use super::{Better, Group, Metric, Unit};

/// Proportional set size of the processes that run the service; phases `idle`, `peak` (sampled under load), `after`.
pub const MEMORY_PSS: Metric = Metric {
    name: "memory_pss",
    group: Group::Memory,
    unit: Unit::Bytes,
    better: Better::Lower,
    headline: "idle",
    summary: "proportional set size of the processes that run the service",
};

/// What the container's cgroup is charged: usage less inactive file cache; phases as of [`MEMORY_PSS`].
pub const MEMORY_CGROUP: Metric = Metric {
    name: "memory_cgroup",
    group: Group::Memory,
    unit: Unit::Bytes,
    better: Better::Lower,
    headline: "idle",
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
    headline: "idle",
    summary: "proportional set size of what the engine runs for this subject beside it",
};
