//! Reading memory and CPU time of processes from the kernel, and what of the machine others got.

mod procfs;
mod sampler;
mod steal;

pub use procfs::{cpu_time_ns, high_water_bytes, pss_bytes};
pub use sampler::{PERIOD, Sampler};
pub use steal::{CpuTimes, STEAL_LIMIT};
