//! The metrics, one file each, and their registry. To add one: a file here and a line in [`METRICS`].

mod cpu;
mod density;
mod errors;
mod latency;
mod memory;
mod size;
mod startup;
mod sweep;
mod throughput;
mod warm_up;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Phase;

pub use cpu::CPU_PER_REQUEST;
pub use density::{MEMORY_INSTANCES, MEMORY_PER_INSTANCE};
pub use errors::LOAD_ERRORS;
pub use latency::LATENCY;
pub use memory::{MEMORY_CGROUP, MEMORY_ENGINE, MEMORY_HIGH_WATER, MEMORY_PSS, MEMORY_TRACE};
pub use size::SIZE;
pub use startup::{STARTUP_COLD, STARTUP_WARM};
pub use sweep::{SUSTAINED_RATE, SWEEP_LATENCY};
pub use throughput::{KEPT_UP, THROUGHPUT};
pub use warm_up::WARM_UP;

/// Every metric, in the order in which reports show them.
pub const METRICS: &[&Metric] = &[
    &SIZE,
    &STARTUP_COLD,
    &STARTUP_WARM,
    &MEMORY_PSS,
    &MEMORY_CGROUP,
    &MEMORY_ENGINE,
    &MEMORY_HIGH_WATER,
    &MEMORY_TRACE,
    &MEMORY_PER_INSTANCE,
    &MEMORY_INSTANCES,
    &THROUGHPUT,
    &LATENCY,
    &CPU_PER_REQUEST,
    &LOAD_ERRORS,
    &SUSTAINED_RATE,
    &SWEEP_LATENCY,
    &WARM_UP,
];

/// A named quantity with a unit and a better direction.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in files and on the command line.
    pub name: &'static str,
    /// What `--only` calls the family that it belongs to.
    pub group: Group,
    /// The unit of every value in files.
    pub unit: Unit,
    /// Which direction is an improvement.
    pub better: Better,
    /// The phase that stands for the metric where only one figure is shown; `None` where none does.
    pub headline: Option<&'static str>,
    /// One sentence for `list` and for reports.
    pub summary: &'static str,
}

impl Metric {
    /// Finds a metric by its name in files.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        METRICS.iter().copied().find(|metric| metric.name == name)
    }

    /// Whether a phase is the one that stands for the metric.
    pub fn is_headline(&self, phase: &Phase) -> bool {
        self.headline.is_some_and(|headline| phase == headline)
    }
}

/// A family of metrics that is measured together; `--only` takes these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Bytes shipped.
    Size,
    /// Time from the wish to run a service to its first right answer.
    Startup,
    /// Bytes of memory.
    Memory,
    /// Throughput, latency and CPU under load.
    Load,
    /// Memory of several instances.
    Density,
}

impl Group {
    /// Every family.
    pub const ALL: &[Self] = &[Self::Size, Self::Startup, Self::Memory, Self::Load, Self::Density];

    /// The metric that decides, by its headline phase, whether the family has been measured often enough; `None` for what
    /// is measured once.
    pub fn headline(self) -> Option<&'static Metric> {
        match self {
            Self::Size => None,
            Self::Startup => Some(&STARTUP_COLD),
            Self::Memory => Some(&MEMORY_PSS),
            Self::Load => Some(&THROUGHPUT),
            Self::Density => Some(&MEMORY_PER_INSTANCE),
        }
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Startup => "startup",
            Self::Memory => "memory",
            Self::Load => "load",
            Self::Density => "density",
        }
    }
}

/// The unit of a value in files; a report may scale it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Bytes.
    #[serde(rename = "bytes")]
    Bytes,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Right answers per second.
    #[serde(rename = "requests/s")]
    RequestsPerSecond,
    /// A plain number.
    #[serde(rename = "count")]
    Count,
}

impl Unit {
    /// The unit as it stands in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Nanoseconds => "ns",
            Self::RequestsPerSecond => "requests/s",
            Self::Count => "count",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which direction of a metric is an improvement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Less is better: bytes, times.
    Lower,
    /// More is better: throughput.
    Higher,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for metric in METRICS {
            assert_eq!(Metric::by_name(metric.name), Some(*metric));
            assert_eq!(METRICS.iter().filter(|other| other.name == metric.name).count(), 1);
        }
        assert_eq!(Metric::by_name("speed"), None);
    }
}
