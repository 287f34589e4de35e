//! Waiting for the subject or for the next due time, whichever comes first.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

/// On a CPU that is not the generator's alone: the last part of the way to a due time, in nanoseconds, that is not slept but
/// polled, since being woken takes an idle CPU some 50 to 80 microseconds.
const AWAKE: u64 = 100_000;

/// The token of the timer, which no connection has.
const TIMER: Token = Token(usize::MAX);

/// A poll with a timer in it. A poll's own timeout is in whole milliseconds, far too coarse for due times.
pub(crate) struct Waiter {
    poll: Poll,
    timer: TimerFd,
    /// The time for which the timer was last set, in nanoseconds since the load began.
    set_for: u64,
    /// Whether it never sleeps. Who wakes a sleeping CPU pays for it, on a virtual machine 20 microseconds and more: so a
    /// subject would pay for each answer to a generator that had the time to fall asleep, and only the slower subjects leave it
    /// that time.
    polls: bool,
}

impl Waiter {
    pub(crate) fn new(polls: bool) -> io::Result<Self> {
        let poll = Poll::new()?;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?;
        poll.registry().register(&mut SourceFd(&timer.as_fd().as_raw_fd()), TIMER, Interest::READABLE)?;
        Ok(Self { poll, timer, set_for: 0, polls })
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// The connection that an event is about; none if it is the timer's.
    pub(crate) fn connection_of(event: &mio::event::Event) -> Option<usize> {
        (event.token() != TIMER).then_some(event.token().0)
    }

    /// Returns when there are events, or shortly before `due` if one is given, or after `longest`, whichever is first; if it
    /// polls, at once.
    pub(crate) fn wait(
        &mut self,
        events: &mut Events,
        now: u64,
        due: Option<u64>,
        longest: Duration,
    ) -> io::Result<()> {
        let timeout = match due {
            _ if self.polls => Duration::ZERO,
            None => longest,
            Some(due) if due <= now + AWAKE => Duration::ZERO,
            Some(due) => {
                self.set_timer(now, due)?;
                longest
            }
        };
        match self.poll.poll(events, Some(timeout)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    fn set_timer(&mut self, now: u64, due: u64) -> io::Result<()> {
        if self.set_for == due {
            return Ok(());
        }
        self.set_for = due;
        let wake_in = TimeSpec::from_duration(Duration::from_nanos(due - AWAKE - now));
        // Edge-triggered like the sockets: each expiry is told once, and setting the timer anew clears it.
        Ok(self.timer.set(Expiration::OneShot(wake_in), TimerSetTimeFlags::empty())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_cpu_of_its_own_it_does_not_sleep() {
        let mut events = Events::with_capacity(1);
        let hour = Duration::from_hours(1);
        for due in [None, Some(u64::MAX)] {
            Waiter::new(true).unwrap().wait(&mut events, 0, due, hour).unwrap();
            assert!(events.is_empty());
        }
    }
}
