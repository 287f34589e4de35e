//! What can be set, checked and with its defaults. Every setting that moves a number is here and nowhere else.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Parser;

/// Where instances get their memories, tables and stacks from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Allocator {
    /// From slots reserved at the start and reused: no mapping and unmapping per request.
    Pooling,
    /// From the kernel, for each instance anew.
    OnDemand,
}

/// Whether to ask the kernel which pages of a slot were written, in order to clear only those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PagemapScan {
    /// Where the kernel can (Linux 6.7 and newer).
    Auto,
    /// Never.
    Off,
}

/// The settings of a host.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct Settings {
    /// Where instances get their memory from.
    #[arg(long, value_enum, default_value = "pooling")]
    pub allocator: Allocator,

    /// How much of a slot is cleared in place rather than given back to the kernel, in bytes; of memories and tables
    /// each. With `--allocator pooling` only.
    // Given back, the next request pays a page fault for each page it writes; a small service writes less than this.
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024)]
    pub keep_resident: usize,

    /// Whether to ask the kernel which pages were written. With `--allocator pooling` only.
    #[arg(long, value_enum, default_value = "auto")]
    pub pagemap_scan: PagemapScan,

    /// How many requests an instance serves before it is dropped; 1 is a fresh instance for each.
    #[arg(long, value_name = "N", default_value = "1")]
    pub reuse: NonZeroU32,

    /// The most linear memory that an instance may have, in bytes, all its memories together.
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024 * 1024)]
    pub memory_limit: usize,

    /// How long a request may take, waiting for its turn included; like `500ms` or `10s`.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub deadline: Duration,

    /// How many requests may run at once in the whole process; more wait.
    // Each one more takes 3 µs at the start (guard pages) and half a kilobyte while idle.
    #[arg(long, value_name = "N", default_value = "256")]
    pub max_instances: NonZeroU32,

    /// The longest body of a request, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * 1024)]
    pub max_body: u64,
}

impl Default for Settings {
    /// What holds when the command line says nothing; it is written there only.
    fn default() -> Self {
        #[derive(clap::Parser)]
        struct Alone {
            #[command(flatten)]
            settings: Settings,
        }
        Alone::parse_from([""]).settings
    }
}

/// Parses a duration: a number and `ms` or `s`.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, Duration::from_millis(1)),
        (None, Some(number)) => (number, Duration::from_secs(1)),
        (None, None) => return Err("a duration is a number and a unit, like `500ms` or `10s`".into()),
    };
    let number: u32 = number.parse().map_err(|_| format!("`{number}` is not a whole number"))?;
    match unit.checked_mul(number) {
        Some(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("a duration must be longer than nothing".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        for wrong in ["10", "0s", "s", "-1s", "1.5s", "1m", ""] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
