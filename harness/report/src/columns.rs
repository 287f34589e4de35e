//! The columns of the table, in order. To show a metric: a line here.

use tare_model::Metric;
use tare_model::metrics::{
    CPU_PER_REQUEST, LATENCY, MEMORY_CGROUP, MEMORY_ENGINE, MEMORY_HIGH_WATER, MEMORY_PER_INSTANCE, MEMORY_PSS, SIZE,
    STARTUP_COLD, STARTUP_WARM, SUSTAINED_RATE, THROUGHPUT,
};

/// What a column shows.
pub(crate) struct Column {
    /// The heading that it shares with its neighbours.
    pub section: &'static str,
    pub title: &'static str,
    pub metric: &'static Metric,
    pub phase: &'static str,
    /// What its cells look like.
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The value and its ratio; every subject has it.
    Plain,
    /// A start with a warm engine: a subject without it has its cold start instead.
    Warm,
    /// The engine's share of memory: beside the subject's processes, or within them.
    Engine,
    /// Only some platforms have it; no ratio.
    Partial,
}

const fn column(
    section: &'static str,
    title: &'static str,
    metric: &'static Metric,
    phase: &'static str,
    kind: Kind,
) -> Column {
    Column { section, title, metric, phase, kind }
}

pub(crate) const COLUMNS: &[Column] = &[
    column("size", "shipped", &SIZE, "artifact", Kind::Plain),
    column("size", "compressed", &SIZE, "compressed", Kind::Plain),
    column("size", "all needed", &SIZE, "total", Kind::Plain),
    column("start-up", "cold", &STARTUP_COLD, "total", Kind::Plain),
    column("start-up", "warm engine", &STARTUP_WARM, "total", Kind::Warm),
    column("memory", "idle", &MEMORY_PSS, "idle", Kind::Plain),
    column("memory", "peak under load", &MEMORY_PSS, "peak", Kind::Plain),
    column("memory", "engine", &MEMORY_ENGINE, "idle", Kind::Engine),
    column("memory", "cgroup", &MEMORY_CGROUP, "idle", Kind::Partial),
    column("memory", "high water", &MEMORY_HIGH_WATER, "rss", Kind::Partial),
    column("memory", "one more", &MEMORY_PER_INSTANCE, "total", Kind::Partial),
    column("full load", "throughput", &THROUGHPUT, "closed", Kind::Plain),
    column("full load", "CPU/request", &CPU_PER_REQUEST, "closed", Kind::Plain),
    column("full load", "sustained", &SUSTAINED_RATE, "p99", Kind::Partial),
    column("latency", "median", &LATENCY, "open_p50", Kind::Plain),
    column("latency", "99th percentile", &LATENCY, "open_p99", Kind::Plain),
];

/// What each section's figures are; shown below the tables for the sections that were shown.
pub(crate) const EXPLANATIONS: &[(&str, &str)] = &[
    (
        "size",
        "bytes shipped (component, binary, all layers of the image), the same as pulled (gzip), and all that must be \
         on the machine to run it (host, container engine)",
    ),
    (
        "start-up",
        "from launch to the end of the first right answer; cold: nothing of the subject runs; warm engine: deployed \
         into a running Wasm host. `= cold`: no engine of its own that could be warm; a container engine always runs",
    ),
    (
        "memory",
        "PSS (resident memory, shared pages divided among their users) of the subject's processes; engine: +x is what \
         the engine runs beside them for this subject, (x) is the part that the empty Wasm host has of them; cgroup: \
         charged to the container when idle; high water: the largest RSS that the kernel saw; one more: what each \
         further instance takes, without the daemons",
    ),
    (
        "full load",
        "closed loop, every connection always busy; CPU time of all the subject's processes per right answer",
    ),
    (
        "latency",
        "open loop at one rate for all subjects of a service, from the moment at which a request was due to the end of \
         its right answer",
    ),
];
