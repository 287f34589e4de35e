//! The machine: CPUs, clocks, processes and their accounts, whose they are, and what state it is in. Knows nothing of services,
//! platforms or runs.

pub mod affinity;
pub mod bounded;
pub mod cancel;
pub mod cgroup;
pub mod clock;
pub mod conditions;
pub mod costs;
pub mod digest;
pub mod facts;
pub mod finding;
pub mod gzip;
pub mod linker;
pub mod listeners;
pub mod lock;
pub mod others;
pub mod owner;
pub mod pulse;
pub mod sampling;
pub mod temporary;
pub mod tree;
pub mod unprivileged;

/// The user that containers run as unless a file asks for another: `nobody`. No account of the host or of an image runs
/// anything under it.
pub const UNPRIVILEGED: &str = "65534:65534";
