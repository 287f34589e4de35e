//! When a subject is taken to be gone, and how eagerly its connections are opened again.

use std::time::Duration;

use crate::connection::{Connection, State};
use crate::outcome::ErrorKind;

/// The first pause before a failed connection is opened again, in nanoseconds. It doubles with each failure in a row.
const FIRST_PAUSE: u64 = 5_000_000;

/// The longest pause, in nanoseconds.
const LONGEST_PAUSE: u64 = 200_000_000;

/// A subject none of whose connections works for so long is gone, in nanoseconds.
const PATIENCE: u64 = 1_000_000_000;

/// The subject is gone.
pub(crate) struct Gone {
    /// What its unanswered requests count as.
    pub(crate) kind: ErrorKind,
    pub(crate) what: String,
}

impl Gone {
    /// It takes requests but answers none.
    pub(crate) fn silent(timeout: Duration) -> Self {
        let what = format!("the subject is gone: it answered nothing at all for {timeout:?}");
        Self { kind: ErrorKind::Timeout, what }
    }
}

/// How the connections of one generator thread fare. Times are nanoseconds since the load began.
pub(crate) struct Health {
    connections: usize,
    /// How many connections have failed since their last answer.
    failing: usize,
    /// Since when all of them have.
    all_failing_since: u64,
    last_answer: Option<u64>,
}

impl Health {
    pub(crate) fn new(connections: usize) -> Self {
        Self { connections, failing: 0, all_failing_since: 0, last_answer: None }
    }

    /// Takes note of a whole answer, right or wrong.
    pub(crate) fn answered(&mut self, connection: &mut Connection, now: u64) {
        if connection.failures > 0 {
            connection.failures = 0;
            self.failing -= 1;
        }
        connection.answered = true;
        self.last_answer = Some(now);
    }

    /// Whether nothing at all was answered since `time`.
    pub(crate) fn is_silent_since(&self, time: u64) -> bool {
        self.last_answer.is_none_or(|answer| answer < time)
    }

    /// Takes note of a failure, sets the time of the next attempt, and tells if the subject must be taken for gone: all
    /// connections have been failing, without a single answer, for a second.
    pub(crate) fn failed(&mut self, connection: &mut Connection, now: u64, what: &str) -> Option<Gone> {
        if connection.failures == 0 {
            self.failing += 1;
            if self.failing == self.connections {
                self.all_failing_since = now;
            }
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << connection.failures.min(16)).min(LONGEST_PAUSE);
        connection.failures += 1;
        connection.state = State::Down { reopen_at: now + pause };
        (self.failing == self.connections && now - self.all_failing_since >= PATIENCE).then(|| Gone {
            kind: ErrorKind::Connection,
            what: format!("the subject is gone: all connections have been failing for a second, the last one: {what}"),
        })
    }
}
