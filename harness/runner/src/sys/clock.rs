//! The clock of all measurements.

use nix::time::{ClockId, clock_gettime};

/// `CLOCK_MONOTONIC` in nanoseconds: the same clock in every process and container of the machine.
///
/// # Panics
/// Where the kernel has no monotonic clock, which Linux does not allow.
pub fn monotonic_ns() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux has a monotonic clock");
    // Seconds since boot are never negative.
    u64::try_from(time.tv_sec()).unwrap_or_default() * 1_000_000_000 + u64::try_from(time.tv_nsec()).unwrap_or_default()
}
