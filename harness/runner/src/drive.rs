//! Putting loads on a subject: one loop, the warm-up before it, and the generator's ceiling.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tare_load::{Ended, Mix, Mode, Outcome, Settings};
use tare_model::LoadPlan;

use crate::platforms::World;

/// The most windows of a warm-up; what is not steady after them is measured as it is, and marked.
const MOST_WINDOWS: u64 = 10;

/// By how much of itself the median latency of a window may differ from that of the one before, for the load to be steady.
const STEADY: f64 = 0.1;

/// One loop of a load.
#[derive(Clone, Copy)]
pub struct Loop {
    /// The phase under which its figures go: `open` or `closed`.
    pub phase: &'static str,
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

/// Loads a subject as in `wanted`, in windows, until the medians of two windows one after another agree. Each window is a
/// load of its own, over before the next begins, and with unique values of its own.
///
/// # Errors
/// As of [`drive`].
pub async fn warm_up(world: &World, addr: SocketAddr, plan: &LoadPlan, mix: &Arc<Mix>, wanted: Loop) -> Result<WarmUp> {
    let began = Instant::now();
    let mut before: Option<f64> = None;
    for window in 0..MOST_WINDOWS {
        let seed = wanted.seed.rotate_left(32).wrapping_add(window);
        let outcome = drive(world, addr, plan, mix, Loop { seconds: plan.warmup_s, seed, ..wanted }).await?;
        let median = outcome.latency.value_at_quantile(0.5) as f64;
        if before.is_some_and(|before| is_steady(before, median)) {
            return Ok(WarmUp { took: began.elapsed(), steady: true });
        }
        before = Some(median);
    }
    Ok(WarmUp { took: began.elapsed(), steady: false })
}

fn is_steady(before: f64, now: f64) -> bool {
    (now - before).abs() <= before * STEADY
}

/// Puts a load on an address.
///
/// # Errors
/// When the generator cannot run. Requests that go wrong are in the outcome.
pub async fn drive(world: &World, addr: SocketAddr, plan: &LoadPlan, mix: &Arc<Mix>, wanted: Loop) -> Result<Outcome> {
    let settings = settings(world, addr, plan, &wanted);
    let (mix, cancel) = (Arc::clone(mix), world.cancel.clone());
    let outcome = tokio::task::spawn_blocking(move || tare_load::run(&settings, &mix, cancel.flag())).await?;
    let outcome = outcome.context("the load generator could not run")?;
    if let Ended::SubjectGone(how) = &outcome.ended {
        bail!("it stopped answering in the {} loop: {how}", wanted.phase);
    }
    Ok(outcome)
}

/// What the generator could do under a load's settings and requests if the subject cost nothing, in requests per second.
///
/// # Errors
/// When the generator or its null server cannot run.
pub async fn ceiling(world: &World, plan: &LoadPlan, mix: &Arc<Mix>, wanted: Loop) -> Result<f64> {
    let settings = settings(world, ([127, 0, 0, 1], 0).into(), plan, &wanted);
    let (mix, cancel, cpus) = (Arc::clone(mix), world.cancel.clone(), world.cpus.subject.clone());
    let outcome =
        tokio::task::spawn_blocking(move || tare_load::ceiling(&settings, &mix, &cpus, cancel.flag())).await?;
    Ok(outcome.context("the load generator's ceiling could not be found")?.throughput_rps())
}

fn settings(world: &World, addr: SocketAddr, plan: &LoadPlan, wanted: &Loop) -> Settings {
    Settings {
        addr,
        connections: plan.connections,
        duration: Duration::from_secs_f64(wanted.seconds),
        timeout: Duration::from_secs_f64(plan.timeout_s),
        seed: wanted.seed,
        mode: wanted.mode,
        cpus: world.generator_cpus(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_steady_when_two_medians_agree_within_a_tenth() {
        assert!(is_steady(100.0, 110.0) && is_steady(100.0, 90.0) && is_steady(0.0, 0.0));
        assert!(!is_steady(100.0, 111.0) && !is_steady(100.0, 89.0) && !is_steady(0.0, 1.0));
    }
}
