//! What /proc and the process clocks tell of a process.

use anyhow::{Context, Result};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

/// The proportional set size of a process in bytes: its own pages and its share of those it shares with others.
///
/// # Errors
/// When the process is gone or its memory may not be read (another user's process).
pub fn pss_bytes(pid: i32) -> Result<u64> {
    let text = fs_err::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    kilobytes(&text, "Pss:").with_context(|| format!("/proc/{pid}/smaps_rollup has no Pss line"))
}

/// The largest resident set size in bytes that a process ever had, as the kernel counts it.
///
/// # Errors
/// When the process is gone.
pub fn high_water_bytes(pid: i32) -> Result<u64> {
    let text = fs_err::read_to_string(format!("/proc/{pid}/status"))?;
    kilobytes(&text, "VmHWM:").with_context(|| format!("/proc/{pid}/status has no VmHWM line"))
}

/// The value of a line like `Pss:  46 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The CPU time that all threads of a process, also the ended ones, have used, in nanoseconds.
///
/// Read from the process's own CPU clock: /proc counts in ticks of 10 ms, too coarse for a load of a second.
///
/// # Errors
/// When the process is gone.
pub fn cpu_time_ns(pid: i32) -> Result<u64> {
    let time = ClockId::pid_cpu_clock_id(Pid::from_raw(pid)).and_then(clock_gettime);
    let time = time.with_context(|| format!("cannot read the CPU time of process {pid}"))?;
    Ok(u64::try_from(time.tv_sec())? * 1_000_000_000 + u64::try_from(time.tv_nsec())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rollup_is_read_in_bytes() {
        let text = "55d0-7ffc ---p 00000000 00:00 0    [rollup]\nRss:  420 kB\nPss:   46 kB\nPss_Dirty:  3 kB\n";
        assert_eq!(kilobytes(text, "Pss:"), Some(46 * 1024));
        assert_eq!(kilobytes("Rss: 1 kB", "Pss:"), None);
    }

    #[test]
    fn this_process_has_memory_and_cpu_time() {
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(pss_bytes(pid).unwrap() > 100_000);
        let before = cpu_time_ns(pid).unwrap();
        let spent = (0..2_000_000_u64).fold(0_u64, |sum, n| sum ^ sum.wrapping_mul(31).wrapping_add(n));
        assert!(cpu_time_ns(pid).unwrap() > before, "{spent}");
        assert!(high_water_bytes(pid).unwrap() >= pss_bytes(pid).unwrap());
        assert!(pss_bytes(i32::MAX).is_err() && high_water_bytes(i32::MAX).is_err());
    }
}
