//! The processor as a thread sees it: where it may run, and how much it has run.

use std::time::Duration;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

/// Binds the calling thread to the given CPUs; to none in particular if there are none.
pub(crate) fn pin(cpus: &[usize]) -> nix::Result<()> {
    if cpus.is_empty() {
        return Ok(());
    }
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu)?;
    }
    // Process id 0 is the calling thread.
    sched_setaffinity(Pid::from_raw(0), &set)
}

/// CPU time of the calling thread so far, or zero where the system does not tell.
pub(crate) fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
