//! What the CPUs of the machine did, and what a virtual machine did not get of them.

use std::ops::Sub;

/// The share of all CPU time that the hypervisor may give to other machines before figures are not to be believed.
pub const STEAL_LIMIT: f64 = 0.01;

/// CPU time of the whole machine since it was started, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuTimes {
    all: u64,
    idle: u64,
    stolen: u64,
}

impl CpuTimes {
    /// The times now, from the first line of /proc/stat; `None` where the kernel does not tell.
    pub fn now() -> Option<Self> {
        parse(&fs_err::read_to_string("/proc/stat").ok()?)
    }

    /// The share of the time, from 0 to 1, in which a CPU had work and the hypervisor ran something else on it.
    pub fn stolen_share(self) -> f64 {
        if self.all == 0 { 0.0 } else { self.stolen as f64 / self.all as f64 }
    }

    /// The share of the time, from 0 to 1, in which CPUs worked for this machine.
    pub fn busy_share(self) -> f64 {
        if self.all == 0 { 0.0 } else { self.all.saturating_sub(self.idle + self.stolen) as f64 / self.all as f64 }
    }
}

impl Sub for CpuTimes {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        let since = |now: u64, then: u64| now.saturating_sub(then);
        Self {
            all: since(self.all, earlier.all),
            idle: since(self.idle, earlier.idle),
            stolen: since(self.stolen, earlier.stolen),
        }
    }
}

/// User, nice, system, idle, iowait, irq, softirq, steal; what follows, guest time, is contained in the first two.
fn parse(stat: &str) -> Option<CpuTimes> {
    let ticks = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().map(str::parse);
    let ticks = ticks.take(8).collect::<Result<Vec<u64>, _>>().ok()?;
    Some(CpuTimes { all: ticks.iter().sum(), idle: ticks.get(3)? + ticks.get(4)?, stolen: *ticks.get(7)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stolen_share_is_that_of_the_time_between() {
        let then = parse("cpu  100 0 100 700 0 0 0 100 50 0\ncpu0 1 2 3\n").unwrap();
        let now = parse("cpu  150 0 150 750 0 0 0 150 90 0\ncpu0 1 2 3\n").unwrap();
        assert!((then.stolen_share() - 0.1).abs() < 1e-12);
        assert!(((now - then).stolen_share() - 0.25).abs() < 1e-12);
        assert!((now - now).stolen_share().abs() < 1e-12);
        assert!(((now - then).busy_share() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_kernel_that_does_not_tell_is_not_misread() {
        assert_eq!(parse("cpu  1 2 3 4\n"), None);
        assert_eq!(parse(""), None);
        assert!(CpuTimes::now().is_some());
    }
}
