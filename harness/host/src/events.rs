//! Announcing what happens, on standard output, in the words of the line protocol.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Once;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use tare_protocol::Event;

use crate::log;

/// The monotonic clock, in nanoseconds: the same for every process of the machine.
///
/// # Panics
/// The system has no such clock, which Linux always has.
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux has a monotonic clock");
    u64::try_from(Duration::from(now).as_nanos()).expect("less than 584 years since the start of the system")
}

/// Announces that a phase of the start ended now.
pub fn phase(name: &str) {
    phase_at(name, now_ns());
}

/// Announces that a phase of the start ended a moment ago.
pub fn phase_at(name: &str, at_ns: u64) {
    announce(&Event::Phase { phase: name.into(), at_ns });
}

/// Announces that a service's first instance is made: a phase of its start that comes with the first request. The later ones
/// are not announced.
#[derive(Debug)]
pub struct FirstInstance(Once);

impl Default for FirstInstance {
    fn default() -> Self {
        Self(Once::new())
    }
}

impl FirstInstance {
    /// An instance was made now.
    pub fn made(&self) {
        self.0.call_once(|| phase("instantiate"));
    }
}

/// Announces that a service accepts connections from now on.
pub fn listening(service: &str, addr: SocketAddr) {
    announce(&Event::Listening { service: service.into(), addr, at_ns: now_ns() });
}

/// Announces that the host takes commands from now on.
pub fn ready() {
    announce(&Event::Ready { at_ns: now_ns() });
}

/// Announces, and logs for people, that a service could not be started.
pub fn failed(service: &str, error: &anyhow::Error) {
    let error = format!("{error:#}");
    log::line(service, &error);
    announce(&Event::Failed { service: service.into(), error });
}

fn announce(event: &Event) {
    let mut line = serde_json::to_string(event).expect("an event is strings and numbers");
    line.push('\n');
    // Nobody listens any more: then there is nobody to tell.
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
}
