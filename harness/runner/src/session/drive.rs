//! Putting loads on a subject: one loop and its rate, the warm-up before it, and the generator's ceiling.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tare_load::{Arrivals, Ended, Mix, Mode, Outcome, Settings};
use tare_model::LoadPlan;

use crate::platforms::RunContext;

/// One loop of a load.
#[derive(Clone, Copy)]
pub struct Loop {
    /// What it is called: `open` or `closed`, as the phase of its figures, or `sweep`.
    pub name: &'static str,
    /// When requests are sent.
    pub mode: Mode,
    /// How long, in seconds.
    pub seconds: f64,
    /// The seed of the sequence of requests.
    pub seed: u64,
}

/// What came of a warm-up.
pub struct WarmUp {
    /// How long it took.
    pub took: Duration,
    /// Whether the load was steady in the end.
    pub steady: bool,
}

/// Loads a subject as in `wanted`, in windows, until the median latencies of two windows one after another agree. Each window
/// is a load of its own, over before the next begins, and with unique values of its own. One without a right answer has no
/// median, and so agrees with none.
///
/// # Errors
/// As of [`drive`].
pub async fn warm_up(
    context: &RunContext,
    addr: SocketAddr,
    plan: &LoadPlan,
    mix: &Arc<Mix>,
    wanted: Loop,
) -> Result<WarmUp> {
    let began = Instant::now();
    let mut before: Option<f64> = None;
    for window in 0..u64::from(plan.warmup_windows) {
        let seed = wanted.seed.rotate_left(32).wrapping_add(window);
        let outcome = drive(context, addr, plan, mix, Loop { seconds: plan.warmup_s, seed, ..wanted }).await?;
        let median = (outcome.right > 0).then(|| outcome.latency.value_at_quantile(0.5) as f64);
        if before.zip(median).is_some_and(|medians| agree(medians, plan.warmup_steady)) {
            return Ok(WarmUp { took: began.elapsed(), steady: true });
        }
        before = median;
    }
    Ok(WarmUp { took: began.elapsed(), steady: false })
}

fn agree((before, now): (f64, f64), within: f64) -> bool {
    (now - before).abs() <= before * within
}

/// Puts a load on an address.
///
/// # Errors
/// When the generator cannot run. Requests that go wrong are in the outcome.
pub async fn drive(
    context: &RunContext,
    addr: SocketAddr,
    plan: &LoadPlan,
    mix: &Arc<Mix>,
    wanted: Loop,
) -> Result<Outcome> {
    let settings = settings(context, addr, plan, &wanted);
    let (mix, cancel) = (Arc::clone(mix), context.cancel.clone());
    let outcome = tokio::task::spawn_blocking(move || tare_load::run(&settings, &mix, cancel.flag())).await?;
    let outcome = outcome.context("the load generator could not run")?;
    match &outcome.ended {
        Ended::Complete => Ok(outcome),
        // Of a loop that was cut short nothing counts.
        Ended::Cancelled => bail!("interrupted"),
        Ended::SubjectGone(how) => bail!("it stopped answering in the {} loop: {how}", wanted.name),
    }
}

/// What the generator could do under a load's settings and requests if the subject cost nothing, in requests per second.
///
/// # Errors
/// When the generator or its null server cannot run.
pub async fn ceiling(context: &RunContext, plan: &LoadPlan, mix: &Arc<Mix>, wanted: Loop) -> Result<f64> {
    let settings = settings(context, ([127, 0, 0, 1], 0).into(), plan, &wanted);
    let (mix, cancel, cpus) = (Arc::clone(mix), context.cancel.clone(), context.cpus.subject.clone());
    let outcome =
        tokio::task::spawn_blocking(move || tare_load::ceiling(&settings, &mix, &cpus, cancel.flag())).await?;
    Ok(outcome.context("the load generator's ceiling could not be found")?.throughput_rps())
}

/// The open loop at a rate, as the plan has it.
pub fn open(plan: &LoadPlan, rate_rps: f64) -> Mode {
    let arrivals = match plan.arrivals {
        tare_model::Arrivals::Even => Arrivals::Even,
        // A plan of this version's is none of a later one.
        tare_model::Arrivals::Random | tare_model::Arrivals::Unknown => Arrivals::Random,
    };
    Mode::Open { rate_rps, arrivals }
}

/// The open loop's rate of each service in requests per second: this share of the capacity of its weakest subject.
pub fn open_rates(capacities: impl IntoIterator<Item = (String, f64)>, share: f64) -> BTreeMap<String, f64> {
    let mut rates: BTreeMap<String, f64> = BTreeMap::new();
    for (service, capacity) in capacities {
        let rate = rates.entry(service).or_insert(f64::INFINITY);
        *rate = rate.min(capacity * share);
    }
    rates
}

fn settings(context: &RunContext, addr: SocketAddr, plan: &LoadPlan, wanted: &Loop) -> Settings {
    Settings {
        addr,
        connections: plan.connections,
        duration: Duration::from_secs_f64(wanted.seconds),
        timeout: Duration::from_secs_f64(plan.timeout_s),
        seed: wanted.seed,
        mode: wanted.mode,
        cpus: context.generator_cpus(),
    }
}

/// The first request of a load that went wrong, in words.
pub fn first_error(outcome: &Outcome) -> String {
    let first = outcome
        .errors
        .tallies()
        .into_iter()
        .find_map(|(kind, tally)| Some(format!("{kind}: {}", tally.first.as_deref()?)));
    first.unwrap_or_else(|| "no answer came".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_steady_when_two_medians_agree() {
        let agree = |before, now| agree((before, now), 0.1);
        assert!(agree(100.0, 110.0) && agree(100.0, 90.0));
        assert!(!agree(100.0, 111.0) && !agree(100.0, 89.0));
    }

    #[test]
    fn the_weakest_subject_of_a_service_sets_its_rate() {
        let capacities = [("auth", 900.0), ("auth", 300.0), ("orders", 20_000.0)];
        let rates = open_rates(capacities.map(|(service, capacity)| (service.to_owned(), capacity)), 0.5);
        assert_eq!(rates, BTreeMap::from([("auth".to_owned(), 150.0), ("orders".to_owned(), 10_000.0)]));
    }
}
