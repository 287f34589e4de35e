//! What is announced on standard output, in the words of the line protocol.

use std::io::Write;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use tare_protocol::Event;

/// The monotonic clock, in nanoseconds: the same for every process of the machine.
pub(crate) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux has a monotonic clock");
    u64::try_from(Duration::from(now).as_nanos()).expect("less than 584 years since the start of the system")
}

/// Announces that a phase of the start ended at a time, in one write: the program writes to the same pipe.
pub(crate) fn phase(name: &str, at_ns: u64) {
    let event = Event::Phase { phase: name.into(), at_ns };
    let line = format!("{}\n", serde_json::to_string(&event).expect("an event is strings and numbers"));
    // Nobody listens any more: then there is nobody to tell.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}
