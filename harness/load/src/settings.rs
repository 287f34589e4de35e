//! How a load is put on a subject.

use std::net::SocketAddr;
use std::time::Duration;

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Every connection sends its next request as soon as it has the answer to the last: what the subject can do.
    Closed,
    /// Requests are due on a schedule whatever the subject does: what its users would see. The schedule is drawn from the
    /// seed, and has as many requests as the rate says.
    Open {
        /// Requests per second, above zero.
        rate_rps: f64,
        /// How they fall in time.
        arrivals: Arrivals,
    },
}

/// How the requests of the open loop fall in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrivals {
    /// Each whenever it likes, as those of many users: a Poisson process, given the number of its requests. Some come in
    /// close succession, and wait for each other in the subject.
    #[default]
    Random,
    /// One in each slot of 1/rate, at a place that is drawn: gentler than users are. They do not march in step with anything
    /// periodic in the subject (timer ticks, epochs), which with fixed spacing would be met by all requests of a run or by
    /// none.
    Even,
}

/// How a load is put on a subject.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the subject listens.
    pub addr: SocketAddr,
    /// How many keep-alive connections are held, at least one per generator thread. Each carries one request at a time.
    pub connections: usize,
    /// How long requests are sent: the window.
    pub duration: Duration,
    /// How long an answer may take from sending, and how long a due request may wait for a free connection. So a
    /// recorded latency is at most twice this, and at most rate x timeout requests wait.
    pub timeout: Duration,
    /// The seed of the sequence of requests and their unique values. Two runs against one instance of a subject need
    /// different seeds if their unique values must differ.
    pub seed: u64,
    /// When requests are sent.
    pub mode: Mode,
    /// One generator thread runs bound to each of these CPUs and never sleeps; if there are none, one runs anywhere and
    /// sleeps when it waits. Keep the subject off them.
    pub cpus: Vec<usize>,
}

/// Settings or a machine with which no load can begin.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A setting has no meaning.
    #[error("load settings: {0}")]
    Settings(&'static str),
    /// The subject takes no connections.
    #[error("cannot connect to {addr}: is the subject listening there?")]
    Connect {
        /// Where the subject should listen.
        addr: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// A generator thread cannot be bound to its CPU.
    #[error("cannot bind a thread to CPUs {cpus:?}: are they online and in this process's CPU set?")]
    Pin {
        /// The CPUs asked for.
        cpus: Vec<usize>,
        /// Why not.
        source: std::io::Error,
    },
    /// The system refuses a thread, a poll or a socket.
    #[error("cannot {doing}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// Why not.
        source: std::io::Error,
    },
}

impl LoadError {
    pub(crate) fn system(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::System { doing, source }
    }
}

impl Settings {
    /// How many generator threads there are.
    pub(crate) fn threads(&self) -> usize {
        self.cpus.len().max(1)
    }

    pub(crate) fn check(&self) -> Result<(), LoadError> {
        let refuse = |why| Err(LoadError::Settings(why));
        if self.connections < self.threads() {
            return refuse("there must be at least one connection per generator CPU");
        }
        if self.duration.is_zero() || self.timeout.is_zero() {
            return refuse("duration and timeout must be above zero");
        }
        match self.mode {
            Mode::Open { rate_rps, .. } if !(rate_rps.is_finite() && rate_rps > 0.0) => {
                refuse("the rate must be a number above zero")
            }
            _ => Ok(()),
        }
    }
}
