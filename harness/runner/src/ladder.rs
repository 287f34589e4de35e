//! A ladder of open-loop rates common to all subjects of a service: how latency grows with load, and up to which rate it
//! stays within the service's objective.

use std::collections::BTreeMap;
use std::f64::consts::SQRT_2;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tare_load::{Mix, Mode};
use tare_model::LoadPlan;
use tare_model::metrics::{LADDER_LATENCY, SUSTAINED_RATE};

use crate::drive::{Loop, drive};
use crate::measure::Findings;
use crate::platforms::World;

/// How many requests a rate is judged by at least, within [`LONGEST_S`]: three above the 99th percentile.
const REQUESTS: f64 = 300.0;

/// How many times the objective a rate is tried for at least: a rate so far above the capacity that its excess fits into the
/// objective would look sustained, which with three is a third above.
const OBJECTIVES: f64 = 3.0;

/// Seconds that no rate is tried for longer.
const LONGEST_S: f64 = 2.0;

/// The share of the generator's ceiling up to which there are rates: above, the generator may be what is late.
const OF_CEILING: f64 = 0.8;

/// The share of a subject's capacity up to which a rate is far below it.
const FAR_BELOW: f64 = 0.25;

/// How far the ladder goes beyond the capacity of the strongest subject, so that it meets its end too.
const BEYOND: f64 = 1.2;

/// The rates of a ladder, and what is asked at each.
#[derive(Debug, Clone, Copy)]
pub struct Ladder<'a> {
    /// Requests per second, ascending.
    pub rates_rps: &'a [f64],
    /// What the 99th percentile of the latency must not exceed, in nanoseconds.
    pub objective_ns: f64,
    /// What the subject reached before the first round, in requests per second.
    pub capacity_rps: f64,
}

impl Ladder<'_> {
    /// The rates that are tried: far below what the subject can take, where nothing happens, every second one.
    fn tried(&self) -> impl Iterator<Item = f64> {
        let (rates, far) = (self.rates_rps.iter().copied().enumerate(), self.capacity_rps * FAR_BELOW);
        rates.filter(move |(place, rate)| place % 2 == 0 || *rate > far).map(|(_, rate)| rate)
    }

    /// Tries each rate until one is not sustained: its 99th percentile is above the objective, a queue is left at the end that
    /// takes longer than the objective, or an answer is wrong. Gives how late the generator itself was at worst, at its 99th percentile.
    ///
    /// # Errors
    /// As of [`drive`].
    pub async fn climb(
        self,
        world: &World,
        addr: SocketAddr,
        (plan, seed): (&LoadPlan, u64),
        mix: &Arc<Mix>,
        findings: &mut Findings,
    ) -> Result<Duration> {
        let (mut sustained, mut latest) = (0.0, Duration::ZERO);
        for (place, rate_rps) in (1..).zip(self.tried()) {
            let wanted = (REQUESTS / rate_rps).max(self.objective_ns / 1e9 * OBJECTIVES).min(LONGEST_S);
            let seconds = plan.ladder_s.max(wanted);
            // Other unique values than in the loops before: the instance is the same.
            let seed = seed.rotate_left(16).wrapping_add(place);
            let wanted = Loop { phase: "ladder's", mode: Mode::Open { rate_rps }, seconds, seed };
            let outcome = drive(world, addr, plan, mix, wanted).await?;
            latest = latest.max(Duration::from_nanos(outcome.lateness.value_at_quantile(0.99)));
            let [median, tail] = [0.5, 0.99].map(|quantile| outcome.latency.value_at_quantile(quantile) as f64);
            if outcome.right > 0 {
                findings.read(&LADDER_LATENCY, format!("p50@{rate_rps}"), median);
                findings.read(&LADDER_LATENCY, format!("p99@{rate_rps}"), tail);
            }
            // Where few requests do most of the work, the 99th percentile need not see that they pile up.
            let queue = outcome.elapsed.saturating_sub(outcome.window).as_nanos() as f64;
            let missed = tail > self.objective_ns || queue > self.objective_ns;
            if outcome.right == 0 || outcome.errors.total() > 0 || missed {
                break;
            }
            sustained = rate_rps;
        }
        findings.read(&SUSTAINED_RATE, "p99", sustained);
        Ok(latest)
    }
}

/// The open loop's rate of each service: this share of the capacity of its weakest subject. Controls do not count: they are
/// no alternative that the load of the others would have to suit.
pub fn lowest(capacities: impl IntoIterator<Item = (String, f64)>, share: f64) -> BTreeMap<String, f64> {
    let mut rates: BTreeMap<String, f64> = BTreeMap::new();
    for (service, capacity) in capacities {
        let rate = rates.entry(service).or_insert(f64::INFINITY);
        *rate = rate.min(capacity * share);
    }
    rates
}

/// The rates of each service, from the capacities of its subjects and the generator's ceiling, all in requests per second:
/// from a share of the weakest subject's capacity, each half an octave above the one before, to beyond the strongest's.
pub fn rates(
    capacities: impl IntoIterator<Item = (String, f64)>,
    share: f64,
    ceiling_rps: f64,
) -> BTreeMap<String, Vec<f64>> {
    let mut ranges: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (service, capacity) in capacities {
        let (weakest, strongest) = ranges.entry(service).or_insert((f64::INFINITY, 0.0));
        *weakest = weakest.min(capacity);
        *strongest = strongest.max(capacity);
    }
    let ladder = |(weakest, strongest): (f64, f64)| {
        let highest = (strongest * BEYOND).min(ceiling_rps * OF_CEILING);
        let rates = std::iter::successors(Some(weakest * share), |rate| Some(rate * SQRT_2));
        rates.map(rounded).take_while(|rate| *rate <= highest).collect()
    };
    ranges.into_iter().map(|(service, range)| (service, ladder(range))).collect()
}

/// Two significant digits, so that rates can be read and written; at least 1.
fn rounded(rate: f64) -> f64 {
    let digit = 10_f64.powf(rate.max(1.0).log10().floor() - 1.0).max(1.0);
    ((rate / digit).round() * digit).max(1.0)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "rates are whole numbers")]
mod tests {
    use super::*;

    #[test]
    fn the_weakest_subject_of_a_service_sets_its_rate() {
        let capacities = [("auth", 900.0), ("auth", 300.0), ("orders", 20_000.0)];
        let rates = lowest(capacities.map(|(service, capacity)| (service.to_owned(), capacity)), 0.5);
        assert_eq!(rates, BTreeMap::from([("auth".to_owned(), 150.0), ("orders".to_owned(), 10_000.0)]));
    }

    #[test]
    fn the_ladder_begins_below_the_weakest_and_ends_above_the_strongest() {
        let capacities = [("orders", 85_800.0), ("orders", 6_150.0), ("auth", 900.0)];
        let capacities = capacities.map(|(service, capacity)| (service.to_owned(), capacity));
        let rates = rates(capacities, 0.5, 182_000.0);
        let orders = [3100.0, 4300.0, 6200.0, 8700.0, 12000.0, 17000.0, 25000.0, 35000.0, 49000.0, 70000.0, 98000.0];
        assert_eq!(rates["orders"], orders);
        assert_eq!(rates["auth"], [450.0, 640.0, 900.0]);
    }

    #[test]
    fn far_below_the_capacity_every_second_rate_is_left_out() {
        let rates = [3100.0, 4300.0, 6200.0, 8700.0, 12000.0, 17000.0];
        let tried = |capacity_rps| -> Vec<f64> {
            Ladder { rates_rps: &rates, objective_ns: 1e7, capacity_rps }.tried().collect()
        };
        assert_eq!(tried(6000.0), rates);
        assert_eq!(tried(40_000.0), [3100.0, 6200.0, 12000.0, 17000.0]);
    }

    #[test]
    fn the_ladder_stays_below_the_generators_ceiling() {
        let rates = rates([("a".to_owned(), 1000.0)], 0.5, 900.0);
        assert_eq!(rates["a"], [500.0, 710.0]);
        assert_eq!(rounded(0.2), 1.0);
        assert_eq!(rounded(7.6), 8.0);
    }
}
