//! `wasi:clocks`: real ones.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::io::Pollable;
use super::table::{Interface, Table};
use crate::abi::record;

record! {
    /// A time since the Unix epoch.
    pub struct Datetime {
        /// Whole seconds.
        seconds: u64,
        /// And nanoseconds.
        nanoseconds: u32,
    }
}

impl From<Duration> for Datetime {
    fn from(time: Duration) -> Self {
        Self { seconds: time.as_secs(), nanoseconds: time.subsec_nanos() }
    }
}

/// Adds the interfaces.
pub fn add(table: &mut Table) {
    // Its zero means nothing; the machine's own says as much as it does to any process.
    Interface::new("wasi:clocks/monotonic-clock@0.2", table)
        .function("now", |_, ()| Ok(tare_host::events::now_ns()))
        .function("resolution", |_, ()| Ok(1_u64))
        .function("subscribe-instant", |state, (at,): (u64,)| {
            let left = at.saturating_sub(tare_host::events::now_ns());
            state.handles.push(after(left))
        })
        .function("subscribe-duration", |state, (duration,): (u64,)| state.handles.push(after(duration)));
    Interface::new("wasi:clocks/wall-clock@0.2", table)
        .function("now", |_, ()| {
            // Before 1970 there is no time that the type could hold.
            Ok(Datetime::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()))
        })
        .function("resolution", |_, ()| Ok(Datetime { seconds: 0, nanoseconds: 1 }));
}

fn after(nanoseconds: u64) -> Pollable {
    if nanoseconds == 0 {
        return Pollable::Now;
    }
    // Centuries away: as good as never, and more than the clock can hold.
    let far = Duration::from_hours(24 * 365 * 30);
    Pollable::At(Instant::now() + Duration::from_nanos(nanoseconds).min(far))
}
