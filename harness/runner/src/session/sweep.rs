//! A sweep of open-loop rates common to all subjects of a service: how latency grows with load, and up to which rate it
//! stays within the service's objective.

use std::collections::BTreeMap;
use std::f64::consts::SQRT_2;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tare_load::{Mix, Outcome};
use tare_model::metrics::{KEPT_UP, LOAD_ERRORS, SUSTAINED_RATE, SWEEP_LATENCY};
use tare_model::{LoadPlan, Phase};

use super::drive::{Loop, drive, open};
use super::measure::Findings;
use crate::platforms::RunContext;
use crate::sys::clock::monotonic_ns;

/// The rates of a sweep, and what is asked at each.
#[derive(Debug, Clone, Copy)]
pub struct Sweep<'a> {
    /// How it is done.
    pub plan: &'a LoadPlan,
    /// Requests per second, ascending.
    pub rates_rps: &'a [f64],
    /// What the 99th percentile of the latency must not exceed, in nanoseconds.
    pub objective_ns: f64,
    /// What the subject reached before the first round, in requests per second.
    pub capacity_rps: f64,
}

/// What a try of a rate came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Sustained,
    Missed,
    /// The generator itself was late: nothing is known of the subject.
    Late,
}

/// Why a climb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// A rate was not sustained.
    Missed,
    /// There is no higher rate.
    Top,
    /// The generator was late.
    Late,
}

impl Sweep<'_> {
    /// Climbs until a rate is not sustained, as [`SUSTAINED_RATE`] defines it, or cannot be judged. Returns how late the
    /// generator was, at its 99th percentile, where that ended the climb.
    ///
    /// # Errors
    /// As of [`drive`], with the rate. What was read at lower rates stays in the findings.
    pub async fn climb(
        self,
        context: &RunContext,
        addr: SocketAddr,
        seed: u64,
        mix: &Arc<Mix>,
        findings: &mut Findings,
    ) -> Result<Option<Duration>> {
        let tries = self.plan.sweep.tries;
        let mut late = Duration::ZERO;
        let climbed = self.ascend(async |place, again| {
            let rate_rps = self.rates_rps[place];
            // The same for all subjects, and other unique values than in the loops before: the instance is the same.
            let seed = seed.rotate_left(16).wrapping_add(1 + place as u64 * u64::from(tries) + u64::from(again));
            let mode = open(self.plan, rate_rps);
            let wanted = Loop { name: "sweep", mode, seconds: self.seconds(rate_rps), seed };
            let began_ns = monotonic_ns();
            let outcome = drive(context, addr, self.plan, mix, wanted).await;
            let outcome = outcome.with_context(|| format!("at {rate_rps} requests/s of the sweep"))?;
            let broken = context.pulse.longest_break(began_ns, monotonic_ns());
            late = broken.unwrap_or_else(|| lateness(&outcome));
            let verdict = if broken.is_some() { Verdict::Late } else { self.judge(rate_rps, &outcome) };
            let errors = outcome.errors.total();
            if errors > 0 {
                findings.read(&LOAD_ERRORS, Phase::at("sweep", rate_rps), errors as f64);
            }
            let decides = verdict == Verdict::Sustained || verdict == Verdict::Missed && again + 1 == tries;
            if decides && outcome.right > 0 {
                let latency = |quantile| outcome.latency.value_at_quantile(quantile) as f64;
                findings.read(&SWEEP_LATENCY, Phase::at("p50", rate_rps), latency(0.5));
                findings.read(&SWEEP_LATENCY, Phase::at("p99", rate_rps), latency(0.99));
                findings.histogram(Phase::at("sweep", rate_rps), &outcome.latency);
            }
            Ok(verdict)
        });
        let (sustained, end) = climbed.await?;
        findings.read(&SUSTAINED_RATE, "p99", sustained);
        if end != End::Missed {
            findings.read(&SUSTAINED_RATE, "at_least", sustained);
        }
        Ok((end == End::Late).then_some(late))
    }

    /// The highest rate that is sustained, 0 for none, and why the climb ended; `attempt` tries the rate at a place, for the
    /// first time (0) or again. Far below what the subject can take, where nothing happens, every second rate is left out,
    /// unless the next one is missed.
    async fn ascend(&self, mut attempt: impl AsyncFnMut(usize, u32) -> Result<Verdict>) -> Result<(f64, End)> {
        let is_left_out =
            |place: usize| place % 2 == 1 && self.rates_rps[place] <= self.capacity_rps * self.plan.sweep.far_below;
        let mut step = async |place| {
            let mut verdict = Verdict::Missed;
            for again in 0..self.plan.sweep.tries {
                verdict = attempt(place, again).await?;
                if verdict == Verdict::Sustained {
                    break;
                }
            }
            anyhow::Ok(verdict)
        };
        let mut sustained = 0.0;
        for place in (0..self.rates_rps.len()).filter(|place| !is_left_out(*place)) {
            let mut verdict = step(place).await?;
            if verdict == Verdict::Sustained {
                sustained = self.rates_rps[place];
                continue;
            }
            if let Some(below) = place.checked_sub(1).filter(|below| verdict == Verdict::Missed && is_left_out(*below))
            {
                verdict = step(below).await?;
                if verdict == Verdict::Sustained {
                    sustained = self.rates_rps[below];
                }
            }
            return Ok((sustained, if verdict == Verdict::Late { End::Late } else { End::Missed }));
        }
        Ok((sustained, End::Top))
    }

    /// How long a rate is tried, in seconds.
    fn seconds(&self, rate_rps: f64) -> f64 {
        let plan = &self.plan.sweep;
        let wanted = (plan.requests / rate_rps).max(self.objective_ns / 1e9 * plan.objectives);
        self.plan.sweep_s.max(wanted.min(plan.longest_s))
    }

    fn judge(&self, rate_rps: f64, outcome: &Outcome) -> Verdict {
        if lateness(outcome).as_nanos() as f64 > self.objective_ns * self.plan.sweep.late {
            return Verdict::Late;
        }
        let tail = outcome.latency.value_at_quantile(0.99) as f64;
        // Where few requests do most of the work, the 99th percentile need not see that they pile up; and within a long
        // objective there is time for the excess of an overload.
        let queue = outcome.elapsed.saturating_sub(outcome.window).as_nanos() as f64;
        let kept_up = outcome.rate_in_window_rps() >= KEPT_UP * rate_rps;
        let right = outcome.right > 0 && outcome.errors.total() == 0;
        let sustained = right && kept_up && tail <= self.objective_ns && queue <= self.objective_ns;
        if sustained { Verdict::Sustained } else { Verdict::Missed }
    }
}

/// How late the generator itself was, at its 99th percentile.
fn lateness(outcome: &Outcome) -> Duration {
    Duration::from_nanos(outcome.lateness.value_at_quantile(0.99))
}

/// The rates of each service, from the capacities of its subjects, up to a highest one, all in requests per second: from a
/// share of the weakest subject's capacity, each half an octave above the one before, to the first that is half an octave
/// beyond the strongest's, so that this one meets its end too. A service whose first would be too high has none.
pub fn rates(
    capacities: impl IntoIterator<Item = (String, f64)>,
    share: f64,
    highest_rps: f64,
) -> BTreeMap<String, Vec<f64>> {
    let mut ranges: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (service, capacity) in capacities {
        let (weakest, strongest) = ranges.entry(service).or_insert((f64::INFINITY, 0.0));
        *weakest = weakest.min(capacity);
        *strongest = strongest.max(capacity);
    }
    let sweep = |(weakest, strongest): (f64, f64)| {
        let mut before = 0.0;
        let rates = std::iter::successors(Some(weakest * share), |rate| Some(rate * SQRT_2)).map(rounded);
        let rates = rates.take_while(|rate| *rate <= highest_rps);
        rates.take_while(|rate| std::mem::replace(&mut before, *rate) < strongest * SQRT_2).collect::<Vec<f64>>()
    };
    let sweeps = ranges.into_iter().map(|(service, range)| (service, sweep(range)));
    sweeps.filter(|(_, rates)| !rates.is_empty()).collect()
}

/// Two significant digits, so that rates can be read and written; at least 1.
fn rounded(rate: f64) -> f64 {
    let digit = 10_f64.powf(rate.max(1.0).log10().floor() - 1.0).max(1.0);
    ((rate / digit).round() * digit).max(1.0)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "rates are whole numbers")]
mod tests {
    use tare_load::{Ended, Errors, Histogram};

    use super::*;
    use crate::run::plan::{Choice, SUITES, plan};

    const RATES: [f64; 6] = [3100.0, 4300.0, 6200.0, 8700.0, 12000.0, 17000.0];

    fn load() -> LoadPlan {
        plan(&SUITES[1], &Choice::default(), &[]).load
    }

    fn sweep(plan: &LoadPlan, capacity_rps: f64) -> Sweep<'_> {
        Sweep { plan, rates_rps: &RATES, objective_ns: 1e7, capacity_rps }
    }

    /// How a climb goes on a subject of this capacity: which rates were tried, and where it ended. `verdict` says what becomes
    /// of a try.
    async fn climbed(capacity_rps: f64, verdict: impl Fn(f64, u32) -> Verdict) -> (Vec<f64>, (f64, End)) {
        let (plan, mut tried) = (load(), Vec::new());
        let sweep = sweep(&plan, capacity_rps);
        let reached = sweep.ascend(async |place, again| {
            tried.push(RATES[place]);
            Ok(verdict(RATES[place], again))
        });
        let reached = reached.await.unwrap();
        (tried, reached)
    }

    fn up_to(most: f64) -> impl Fn(f64, u32) -> Verdict {
        move |rate, _| if rate <= most { Verdict::Sustained } else { Verdict::Missed }
    }

    #[test]
    fn the_sweep_begins_below_the_weakest_and_ends_half_an_octave_above_the_strongest() {
        let capacities = [("orders", 85_800.0), ("orders", 6_150.0), ("auth", 900.0)];
        let capacities = capacities.map(|(service, capacity)| (service.to_owned(), capacity));
        let rates = rates(capacities, 0.5, 150_000.0);
        let orders = [3100.0, 4300.0, 6200.0, 8700.0, 12e3, 17e3, 25e3, 35e3, 49e3, 70e3, 98e3, 140e3];
        assert_eq!(rates["orders"], orders);
        assert_eq!(rates["auth"], [450.0, 640.0, 900.0, 1300.0]);
    }

    #[test]
    fn the_sweep_stays_below_the_highest_rate() {
        let rates = |highest| rates([("a".to_owned(), 1000.0)], 0.5, highest);
        assert_eq!(rates(720.0)["a"], [500.0, 710.0]);
        assert_eq!(rates(400.0), BTreeMap::new());
        assert_eq!(rounded(0.2), 1.0);
        assert_eq!(rounded(7.6), 8.0);
    }

    #[tokio::test]
    async fn a_climb_ends_at_the_second_miss_of_a_rate_or_at_the_top() {
        let (tried, reached) = climbed(6000.0, up_to(6200.0)).await;
        assert_eq!((tried, reached), (vec![3100.0, 4300.0, 6200.0, 8700.0, 8700.0], (6200.0, End::Missed)));
        assert_eq!(climbed(6000.0, up_to(1.0)).await, (vec![3100.0, 3100.0], (0.0, End::Missed)));
        assert_eq!(climbed(6000.0, up_to(1e9)).await, (RATES.to_vec(), (17000.0, End::Top)));
    }

    #[tokio::test]
    async fn one_disturbed_try_does_not_end_a_climb() {
        for disturbed in [Verdict::Missed, Verdict::Late] {
            let verdict = |rate, again| if rate == 4300.0 && again == 0 { disturbed } else { Verdict::Sustained };
            let (tried, reached) = climbed(6000.0, verdict).await;
            assert_eq!((tried.len(), reached), (RATES.len() + 1, (17000.0, End::Top)));
        }
        let late = |rate, _| if rate == 8700.0 { Verdict::Late } else { Verdict::Sustained };
        assert_eq!(climbed(6000.0, late).await.1, (6200.0, End::Late));
    }

    #[tokio::test]
    async fn what_is_left_out_far_below_the_capacity_is_tried_below_a_miss() {
        let (tried, reached) = climbed(40_000.0, up_to(1e9)).await;
        assert_eq!((tried, reached), (vec![3100.0, 6200.0, 12000.0, 17000.0], (17000.0, End::Top)));
        let (tried, reached) = climbed(40_000.0, up_to(9000.0)).await;
        assert_eq!(tried, [3100.0, 6200.0, 12000.0, 12000.0, 8700.0]);
        assert_eq!(reached, (8700.0, End::Missed));
        assert_eq!(climbed(40_000.0, up_to(6500.0)).await.1, (6200.0, End::Missed));
    }

    /// 900 requests in 100 ms, all answered within 4 ms but a few.
    fn outcome(in_window: u64, slow_ms: u64, elapsed_ms: u64, late_ms: u64) -> Outcome {
        let histogram = |values: [(u64, u64); 2]| {
            let mut histogram = Histogram::new(3).unwrap();
            for (ms, count) in values {
                histogram.record_n(ms * 1_000_000, count).unwrap();
            }
            histogram
        };
        Outcome {
            latency: histogram([(4, 880), (slow_ms, 20)]),
            service_time: histogram([(4, 880), (slow_ms, 20)]),
            lateness: histogram([(0, 880), (late_ms, 20)]),
            right: 900,
            errors: Errors::default(),
            right_in_window: in_window,
            window: Duration::from_millis(100),
            elapsed: Duration::from_millis(elapsed_ms),
            reconnects: 0,
            ended: Ended::Complete,
        }
    }

    #[test]
    fn a_rate_is_sustained_where_nothing_is_missed() {
        let plan = load();
        let judge = |outcome| sweep(&plan, 1e4).judge(9000.0, &outcome);
        assert_eq!(judge(outcome(860, 9, 109, 4)), Verdict::Sustained);
        assert_eq!(judge(outcome(850, 9, 109, 4)), Verdict::Missed, "it did not keep up");
        assert_eq!(judge(outcome(860, 11, 109, 4)), Verdict::Missed, "the 99th percentile");
        assert_eq!(judge(outcome(860, 9, 111, 4)), Verdict::Missed, "a queue is left");
        assert_eq!(judge(outcome(860, 11, 111, 6)), Verdict::Late);
        let mut wrong = outcome(860, 9, 109, 4);
        wrong.errors.status.count = 1;
        assert_eq!(judge(wrong), Verdict::Missed);
    }

    #[test]
    fn a_rate_is_tried_for_as_long_as_it_takes_to_judge_it() {
        let plan = load();
        let seconds = |rate, objective_ns| Sweep { objective_ns, ..sweep(&plan, 1e4) }.seconds(rate);
        assert_eq!([seconds(10_000.0, 1e7), seconds(400.0, 1e7), seconds(10_000.0, 250e6)], [0.2, 0.75, 0.75]);
        assert_eq!(seconds(1.0, 1e7), 2.0);
    }
}
