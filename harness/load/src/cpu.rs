//! Where a thread may run.

use nix::sched::{CpuSet, sched_setaffinity};
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
