//! Reading memory and CPU time of processes from the kernel.

mod procfs;
mod sampler;

pub use procfs::{cpu_time_ns, pss_bytes};
pub use sampler::PeakSampler;
