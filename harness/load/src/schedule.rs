//! Which request is next, and when.

use std::ops::RangeInclusive;

use crate::mix::uniform;
use crate::outcome::nanos;
use crate::{Arrivals, Mix, Mode, Settings};

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
    timing: Timing,
    end: u64,
    place: u64,
    stride: u64,
    /// The request at `place` in the open loop, drawn ahead since its time is needed over and over.
    ahead: Option<Due>,
}

/// When requests are due.
enum Timing {
    /// When there is a connection for them.
    Closed,
    /// One in each slot.
    Even {
        /// The length of a slot in nanoseconds.
        slot_ns: f64,
    },
    /// After gaps of random length.
    Random {
        /// How many there are.
        requests: u64,
        /// The gaps up to the request at [`Schedule::place`], as multiples of the mean.
        gaps: f64,
        /// How long a gap of the mean length is, in nanoseconds, so that all of them fill the load.
        mean_ns: f64,
    },
}

impl Timing {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and a number of requests; beyond what is possible the cast saturates"
    )]
    fn new(settings: &Settings, thread: u64) -> Self {
        match settings.mode {
            Mode::Closed => Self::Closed,
            Mode::Open { rate_rps, arrivals: Arrivals::Even } => Self::Even { slot_ns: 1e9 / rate_rps },
            Mode::Open { rate_rps, arrivals: Arrivals::Random } => {
                let requests = (rate_rps * settings.duration.as_secs_f64()).round() as u64;
                // Gaps of exponential length are a Poisson process; scaled so that they fill the time, with one more after
                // the last request, they are one given the number of its requests, each evenly distributed over it (Ross,
                // Stochastic Processes, 2nd edition, theorem 2.3.1; Devroye, Non-Uniform Random Variate Generation, V.2).
                let mean_ns = nanos(settings.duration) as f64 / gaps(settings.seed, 0..=requests);
                Self::Random { requests, gaps: gaps(settings.seed, 0..=thread), mean_ns }
            }
        }
    }
}

/// The gaps before the requests at these places together, as multiples of the mean: exponentially distributed, by inversion.
fn gaps(seed: u64, places: RangeInclusive<u64>) -> f64 {
    places.map(|place| -(-uniform(seed, place)).ln_1p()).sum()
}

impl<'a> Schedule<'a> {
    /// The schedule of generator thread number `thread`.
    pub(crate) fn new(settings: &Settings, mix: &'a Mix, thread: usize) -> Self {
        Self {
            mix,
            seed: settings.seed,
            timing: Timing::new(settings, thread as u64),
            end: nanos(settings.duration),
            place: thread as u64,
            stride: settings.threads() as u64,
            ahead: None,
        }
    }

    /// What is to be sent at the time `now`. Says the same until [`take`](Self::take) is called.
    pub(crate) fn next(&mut self, now: u64) -> Next {
        let due = match (&self.timing, self.ahead) {
            (Timing::Closed, _) => self.draw(now),
            (_, Some(due)) => due,
            (_, None) => *self.ahead.insert(self.draw(self.due_ns())),
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
        let next = self.place + self.stride;
        if let Timing::Random { gaps: sum, .. } = &mut self.timing {
            *sum += gaps(self.seed, self.place + 1..=next);
        }
        self.place = next;
        self.ahead = None;
    }

    fn draw(&self, at: u64) -> Due {
        let draw = self.mix.draw(self.seed, self.place);
        Due { request: draw.request, unique: draw.unique, at }
    }

    /// When the request at `place` is due in the open loop; the end where there are no more.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and below 2^53 ns = 104 days for any run; beyond that the cast saturates"
    )]
    fn due_ns(&self) -> u64 {
        match self.timing {
            Timing::Closed => 0,
            Timing::Even { slot_ns } => ((self.place as f64 + uniform(self.seed, self.place)) * slot_ns) as u64,
            Timing::Random { requests, .. } if self.place >= requests => self.end,
            Timing::Random { gaps, mean_ns, .. } => (gaps * mean_ns) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Parts, Request};

    fn settings(rate_rps: f64, arrivals: Arrivals, threads: usize) -> Settings {
        Settings {
            addr: ([127, 0, 0, 1], 0).into(),
            connections: threads,
            duration: Duration::from_secs(10),
            timeout: Duration::from_secs(1),
            seed: 7,
            mode: Mode::Open { rate_rps, arrivals },
            cpus: (0..threads).collect(),
        }
    }

    /// When the requests of all threads are due, in nanoseconds, in the order of the sequence.
    fn due(settings: &Settings) -> Vec<u64> {
        let request = Request::new(&Parts { method: "GET", path: "/", ..Parts::default() }).unwrap();
        let mix = Mix::new([(request, 1)]).unwrap();
        let mut all = Vec::new();
        for thread in 0..settings.threads() {
            let mut schedule = Schedule::new(settings, &mix, thread);
            while let Next::Now(due) = schedule.next(u64::MAX) {
                all.push((schedule.place, due.at));
                schedule.take();
            }
        }
        all.sort_unstable();
        all.into_iter().map(|(_, at)| at).collect()
    }

    #[test]
    fn the_rate_is_kept_exactly_and_threads_share_one_schedule() {
        for arrivals in [Arrivals::Random, Arrivals::Even] {
            let one = due(&settings(1000.0, arrivals, 1));
            assert_eq!(one.len(), 10_000, "{arrivals:?}");
            assert!(one.is_sorted() && one.iter().all(|at| *at < 10_000_000_000));
            assert!(due(&settings(1000.0, arrivals, 3)).iter().zip(&one).all(|(three, one)| three.abs_diff(*one) <= 1));
        }
        assert_eq!(due(&settings(0.04, Arrivals::Random, 1)), [0; 0], "not one request in this time");
    }

    /// The numbers of requests in intervals of the mean gap: of a Poisson process their variance is their mean, 1 (given
    /// the number of all, less by one in ten thousand); with one in each slot it is none.
    #[test]
    fn random_arrivals_are_those_of_a_poisson_process_and_even_ones_are_gentler() {
        let variance = |arrivals| {
            let mut counts = vec![0_u32; 10_000];
            for at in due(&settings(1000.0, arrivals, 1)) {
                counts[usize::try_from(at / 1_000_000).unwrap()] += 1;
            }
            counts.iter().map(|count| (f64::from(*count) - 1.0).powi(2)).sum::<f64>() / counts.len() as f64
        };
        let (random, even) = (variance(Arrivals::Random), variance(Arrivals::Even));
        // Four standard errors of the estimate: the fourth central moment of Poisson(1) is 4, so sqrt((4 - 1) / 10,000) each.
        assert!((random - 1.0).abs() < 0.07, "{random}");
        assert!(even.abs() < 1e-9, "one in each slot: {even}");
        let gaps: Vec<f64> = due(&settings(1000.0, Arrivals::Random, 1))
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) as f64 / 1e6)
            .collect();
        let longer = |than: f64| gaps.iter().filter(|gap| **gap > than).count() as f64 / gaps.len() as f64;
        for than in [0.5, 1.0, 2.0] {
            assert!((longer(than) - (-than).exp()).abs() < 0.02, "gaps above {than} of the mean: {}", longer(than));
        }
    }
}
