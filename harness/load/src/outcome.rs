//! What a load came to.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Three significant digits: a recorded value is within 0.1 % of the true one.
const DIGITS: u8 = 3;

/// How many requests went wrong in one way, and what the first of them was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// The first of them in words: the request's name, what was expected and what came.
    pub first: Option<String>,
}

impl Tally {
    fn add(&mut self, count: u64, describe: impl FnOnce() -> String) {
        if count > 0 {
            self.first.get_or_insert_with(describe);
            self.count += count;
        }
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.first = self.first.take().or(other.first);
    }
}

/// In which way a request went wrong: the fields of [`Errors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    Status,
    Body,
    Protocol,
    Connection,
    Timeout,
}

/// The requests that went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors {
    /// A whole answer with another status than expected.
    pub status: Tally,
    /// A whole answer of the right status whose body lacks something expected.
    pub body: Tally,
    /// What came is not an HTTP answer, or more than one.
    pub protocol: Tally,
    /// The connection broke, or none could be made.
    pub connection: Tally,
    /// No whole answer in time, or no free connection in time.
    pub timeout: Tally,
}

impl Errors {
    /// How many requests went wrong.
    pub fn total(&self) -> u64 {
        self.tallies().iter().map(|(_, tally)| tally.count).sum()
    }

    /// The tallies with their names.
    pub fn tallies(&self) -> [(&'static str, &Tally); 5] {
        [
            ("status", &self.status),
            ("body", &self.body),
            ("protocol", &self.protocol),
            ("connection", &self.connection),
            ("timeout", &self.timeout),
        ]
    }

    pub(crate) fn add(&mut self, kind: ErrorKind, count: u64, describe: impl FnOnce() -> String) {
        let tally = match kind {
            ErrorKind::Status => &mut self.status,
            ErrorKind::Body => &mut self.body,
            ErrorKind::Protocol => &mut self.protocol,
            ErrorKind::Connection => &mut self.connection,
            ErrorKind::Timeout => &mut self.timeout,
        };
        tally.add(count, describe);
    }

    fn merge(&mut self, other: Self) {
        self.status.merge(other.status);
        self.body.merge(other.body);
        self.protocol.merge(other.protocol);
        self.connection.merge(other.connection);
        self.timeout.merge(other.timeout);
    }
}

/// Why a load ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ended {
    /// The window was over and every answer was in or given up.
    #[default]
    Complete,
    /// The caller asked for it.
    Cancelled,
    /// The subject is not there any more: every connection had been failing for a second, or nothing at all had been
    /// answered for a whole timeout. In words.
    SubjectGone(String),
}

/// What a load came to.
///
/// Its requests are those sent in the window (closed loop) or due in it (open loop). Each of them is counted once, as
/// right or as an error; only a cancelled run forgets those that were still unanswered.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Nanoseconds to the last byte of each right answer: in the open loop from the time when the request was due
    /// (so a subject that stalls does not hide the requests that it keeps from being sent), in the closed loop from
    /// its sending.
    pub latency: Histogram<u64>,
    /// Nanoseconds from sending to the last byte of each right answer.
    pub service_time: Histogram<u64>,
    /// Open loop: nanoseconds from due to sent, of the requests for which a connection was free when they were due.
    /// This is the generator's own fault. Empty for the closed loop.
    pub lateness: Histogram<u64>,
    /// The requests that were answered rightly.
    pub right: u64,
    /// Those that were not, or could not even be sent.
    pub errors: Errors,
    /// Right answers that came before the window was over.
    pub right_in_window: u64,
    /// How long requests were sent.
    pub window: Duration,
    /// From the beginning to the last right answer, which mostly comes after the window.
    pub elapsed: Duration,
    /// How often a connection was opened again, after it broke, timed out or was closed by the subject.
    pub reconnects: u64,
    /// Why the load ended.
    pub ended: Ended,
}

impl Outcome {
    pub(crate) fn new(timeout: Duration) -> Self {
        // A latency is at most two timeouts and what noticing them takes; later values would be recorded as the
        // highest one.
        let highest = nanos(timeout.saturating_mul(2).saturating_add(Duration::from_secs(1)));
        let Ok(empty) = Histogram::new_with_max(highest, DIGITS) else {
            unreachable!("a maximum of at least a second and three digits are within the bounds of a histogram")
        };
        Self {
            latency: empty.clone(),
            service_time: empty.clone(),
            lateness: empty,
            right: 0,
            errors: Errors::default(),
            right_in_window: 0,
            window: Duration::ZERO,
            elapsed: Duration::ZERO,
            reconnects: 0,
            ended: Ended::Complete,
        }
    }

    /// How many requests there were.
    pub fn sent(&self) -> u64 {
        self.right + self.errors.total()
    }

    /// What the subject could do, in the closed loop: right answers per second, over the time from the first request to
    /// the last right answer. What was sent in the
    /// window and answered later counts with the time that it took; if only the window's answers were counted over the
    /// window's length, a subject could look fast by putting off its long requests until the window is over.
    pub fn throughput_rps(&self) -> f64 {
        if self.elapsed.is_zero() { 0.0 } else { self.right as f64 / self.elapsed.as_secs_f64() }
    }

    /// Whether the subject kept up, in the open loop: right answers per second of the window. A queue that grows shows as
    /// a rate below the one that was asked for.
    pub fn rate_in_window_rps(&self) -> f64 {
        if self.window.is_zero() { 0.0 } else { self.right_in_window as f64 / self.window.as_secs_f64() }
    }

    /// Adds what another thread of the same run saw.
    pub(crate) fn merge(&mut self, other: Self) {
        for (mine, theirs) in [
            (&mut self.latency, &other.latency),
            (&mut self.service_time, &other.service_time),
            (&mut self.lateness, &other.lateness),
        ] {
            let added = mine.add(theirs);
            debug_assert!(added.is_ok(), "the histograms of one run have the same bounds");
        }
        self.right += other.right;
        self.errors.merge(other.errors);
        self.right_in_window += other.right_in_window;
        self.window = self.window.max(other.window);
        self.elapsed = self.elapsed.max(other.elapsed);
        self.reconnects += other.reconnects;
        if self.ended == Ended::Complete {
            self.ended = other.ended;
        }
    }
}

/// Whole nanoseconds; the largest number for what is longer than 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
