//! Which request is next, and when.

use crate::outcome::nanos;
use crate::{Mix, Mode, Settings};

/// A request whose time has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Due {
    /// The place of the request in the mix.
    pub(crate) request: usize,
    pub(crate) unique: u64,
    /// When it should be sent.
    pub(crate) at: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Next {
    /// This one, now.
    Now(Due),
    /// None before this time.
    At(u64),
    /// No more.
    Over,
}

impl Next {
    /// The time of the next request, which may be past.
    pub(crate) fn at(self) -> Option<u64> {
        match self {
            Self::Now(due) => Some(due.at),
            Self::At(time) => Some(time),
            Self::Over => None,
        }
    }
}

/// The requests of one generator thread in their order: every `stride`-th of the sequence. All times are nanoseconds
/// since the load began.
///
/// In the open loop this is also the queue of requests that wait for a connection: they are sent in order, and what is
/// due is a matter of arithmetic, so nothing but the place of the first one needs to be kept.
pub(crate) struct Schedule<'a> {
    mix: &'a Mix,
    seed: u64,
    /// The length of a slot in nanoseconds; none in the closed loop.
    slot_ns: Option<f64>,
    end: u64,
    place: u64,
    stride: u64,
    /// The request at `place` in the open loop, drawn ahead since its time is needed over and over.
    ahead: Option<Due>,
}

impl<'a> Schedule<'a> {
    /// The schedule of generator thread number `thread`.
    pub(crate) fn new(settings: &Settings, mix: &'a Mix, thread: usize) -> Self {
        let slot_ns = match settings.mode {
            Mode::Closed => None,
            Mode::Open { rate_rps } => Some(1e9 / rate_rps),
        };
        Self {
            mix,
            seed: settings.seed,
            slot_ns,
            end: nanos(settings.duration),
            place: thread as u64,
            stride: settings.threads() as u64,
            ahead: None,
        }
    }

    /// What is to be sent at the time `now`. Says the same until [`take`](Self::take) is called.
    pub(crate) fn next(&mut self, now: u64) -> Next {
        let due = match self.slot_ns {
            None => self.draw(now),
            Some(slot_ns) => match self.ahead {
                Some(due) => due,
                None => *self.ahead.insert(self.draw_in_slot(slot_ns)),
            },
        };
        if due.at >= self.end {
            Next::Over
        } else if due.at > now {
            Next::At(due.at)
        } else {
            Next::Now(due)
        }
    }

    /// Goes on to the next request.
    pub(crate) fn take(&mut self) {
        self.place += self.stride;
        self.ahead = None;
    }

    fn draw(&self, at: u64) -> Due {
        let draw = self.mix.draw(self.seed, self.place);
        Due { request: draw.request, unique: draw.unique, at }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and below 2^53 ns = 104 days for any run; beyond that the cast saturates"
    )]
    fn draw_in_slot(&self, slot_ns: f64) -> Due {
        let draw = self.mix.draw(self.seed, self.place);
        let at = (self.place as f64 + draw.within_slot) * slot_ns;
        Due { request: draw.request, unique: draw.unique, at: at as u64 }
    }
}
