//! Which CPUs run the load generator and which the subjects.

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The split of the CPUs that the harness may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cpus {
    /// For the load generator and the harness itself.
    pub generator: Vec<usize>,
    /// For what is measured.
    pub subject: Vec<usize>,
}

impl Cpus {
    /// Splits the CPUs that this process may run on.
    pub fn detect() -> Result<Self> {
        Ok(Self::split(of_process(0)?))
    }

    /// The generator gets the last CPUs, a quarter of them and at least one; the subjects get the others. A single CPU
    /// has to serve both.
    fn split(mut cpus: Vec<usize>) -> Self {
        if cpus.len() < 2 {
            return Self { generator: cpus.clone(), subject: cpus };
        }
        let generator = cpus.split_off(cpus.len() - (cpus.len() / 4).max(1));
        Self { generator, subject: cpus }
    }

    /// Whether generator and subjects have CPUs of their own.
    pub fn are_separate(&self) -> bool {
        self.generator != self.subject
    }
}

/// The CPUs that a process may run on.
///
/// # Errors
/// It is gone.
pub fn of_process(pid: i32) -> Result<Vec<usize>> {
    let allowed =
        sched_getaffinity(Pid::from_raw(pid)).with_context(|| format!("cannot read the CPUs of process {pid}"))?;
    Ok((0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu).unwrap_or(false)).collect())
}

/// Lets the calling thread, and what it starts from now on, run on these CPUs only.
pub fn pin_this_thread(cpus: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu).with_context(|| format!("CPU {cpu} is beyond what the kernel interface can name"))?;
    }
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("cannot pin to the CPUs {cpus:?}"))
}

/// The kernel's list form, as for a cpuset: `0,1,4`.
pub fn list(cpus: &[usize]) -> String {
    cpus.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gets_a_quarter_and_at_least_one() {
        let split = |n: usize| Cpus::split((0..n).collect());
        assert_eq!(split(1), Cpus { generator: vec![0], subject: vec![0] });
        assert!(!split(1).are_separate());
        assert_eq!(split(2), Cpus { generator: vec![1], subject: vec![0] });
        assert_eq!(split(8), Cpus { generator: vec![6, 7], subject: (0..6).collect() });
        assert!(split(8).are_separate());
    }
}
