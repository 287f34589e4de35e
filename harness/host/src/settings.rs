//! What can be set on every host, checked and with its defaults.

use std::num::NonZeroU32;
use std::time::Duration;

/// What holds for each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct RequestLimits {
    /// How long a request may take, waiting for its turn included; like `500ms` or `10s`.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub deadline: Duration,

    /// The longest body of a request, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * 1024)]
    pub max_body: u64,

    /// How long a client may send nothing of a body while its request waits for more; like `500ms` or `5s`.
    // Half of the deadline: who waits for what does not come is told so, and not that the component was too slow.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub body_timeout: Duration,

    /// How long the head of a request may take to come, and how long a connection may wait for its next one; like `500ms`
    /// or `30s`.
    // As HTTP servers have it, the native services too: long for a client that thinks, short for one that only holds a
    // connection.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub header_timeout: Duration,
}

/// What each service may take of the host besides its instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct Quotas {
    /// The most that a service may keep in `wasi:keyvalue`, in bytes: keys, values, and 160 for each key.
    // What a container of the comparison may have in all.
    #[arg(long, value_name = "BYTES", default_value_t = 512 * 1024 * 1024)]
    pub store_limit: usize,

    /// The most that is logged of a service, in bytes: what it prints, and how it fails. What comes after it is left out.
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024 * 1024)]
    pub log_limit: u64,
}

/// The most handles that an instance may have open: so many that no guest is known to need them, and so few that those who
/// never give one back end before the host has no memory left.
pub const HANDLES: usize = 8192;

/// The most that one call of a guest may pass to the host, in bytes as the host keeps it. Lists of a guest may overlap, so that
/// its memory alone is no limit.
pub const PASSED: usize = 128 * 1024 * 1024;

/// Limits and reuse of instances.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct Common {
    /// How many requests an instance serves before it is dropped; 1 is a fresh instance for each.
    #[arg(long, value_name = "N", default_value = "1")]
    pub reuse: NonZeroU32,

    /// The most linear memory that an instance may have, in bytes, all its memories together.
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024 * 1024)]
    pub memory_limit: usize,

    /// The most elements that each table of an instance may have. Tables hold the functions that are called by pointer.
    // Enough for guests that bring a language's runtime with them; it costs address space only.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub table_elements: u32,

    /// How many requests may run at once in the whole process; more wait. Of them, at most half run while their bodies are still
    /// under way.
    #[arg(long, value_name = "N", default_value = "256")]
    pub max_instances: NonZeroU32,

    /// What holds for each request.
    #[command(flatten)]
    pub requests: RequestLimits,

    /// What holds for each service.
    #[command(flatten)]
    pub quotas: Quotas,
}

/// What holds when the command line says nothing; it is written in the arguments only.
///
/// # Panics
/// An argument has no default.
pub fn defaults<S: clap::Args>() -> S {
    let command = S::augment_args(clap::Command::new("defaults").no_binary_name(true));
    S::from_arg_matches(&command.get_matches_from([""; 0])).expect("every setting has a default")
}

/// Parses a duration: a number and `ms` or `s`.
///
/// # Errors
/// It is no duration, or zero.
pub fn duration(text: &str) -> Result<Duration, String> {
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

    #[test]
    fn there_is_a_default_for_everything() {
        let common: Common = defaults();
        assert_eq!(common.requests.deadline, Duration::from_secs(10));
        assert_eq!(common.reuse.get(), 1);
    }
}
