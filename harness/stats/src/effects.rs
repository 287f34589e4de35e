//! What moved the values besides the subjects: the time since the run began, and the place in the order of a round.

use std::collections::HashMap;

use tare_model::{METRICS, Metric, Sample, Subject};

use crate::{Estimate, median};

/// Fewer rounds than these say nothing about a trend.
const LEAST_ROUNDS: usize = 4;

/// How the values of a metric moved, over all subjects.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The metric; its headline phase is looked at.
    pub metric: &'static Metric,
    /// The relative change from the first round to the last: 0.02 is 2 % more. One value per subject.
    pub drift: Estimate,
    /// The relative change from the first place of a round to the last. One value per subject; `None` where no order is
    /// known.
    pub order: Option<Estimate>,
}

/// The effects of time and order on each metric that has enough rounds.
///
/// For each subject the slope is Theil's and Sen's, the median of the slopes between all pairs of its values: Sen,
/// "Estimates of the Regression Coefficient Based on Kendall's Tau", Journal of the American Statistical Association 63
/// (1968). It is taken relative to the subject's median, and multiplied by the length of the run (or of a round).
pub fn effects(samples: &[Sample]) -> Vec<Effect> {
    let rounds = samples.iter().map(|sample| sample.round).max().unwrap_or(0);
    let places = samples.iter().map(|sample| sample.position).max().unwrap_or(0);
    let found = METRICS.iter().filter_map(|metric| {
        let mut series: HashMap<&Subject, Vec<&Sample>> = HashMap::new();
        let of_metric = |sample: &&Sample| sample.metric == *metric && metric.is_headline(&sample.phase);
        for sample in samples.iter().filter(of_metric).filter(|sample| sample.round > 0 && sample.value.is_finite()) {
            series.entry(&sample.subject).or_default().push(sample);
        }
        let change = |place: fn(&Sample) -> u32, length: u32| {
            let slopes = series.values().filter_map(|samples| relative_slope(samples, place));
            Estimate::of(&slopes.map(|slope| slope * f64::from(length.saturating_sub(1))).collect::<Vec<_>>())
        };
        let order = (places > 1).then(|| change(|sample| sample.position, places)).flatten();
        Some(Effect { metric, drift: change(|sample| sample.round, rounds)?, order })
    });
    found.collect()
}

/// The slope of a subject's values over their places, relative to their median.
fn relative_slope(samples: &[&Sample], place: fn(&Sample) -> u32) -> Option<f64> {
    if samples.len() < LEAST_ROUNDS {
        return None;
    }
    let middle =
        median(&samples.iter().map(|sample| sample.value).collect::<Vec<_>>()).filter(|middle| *middle > 0.0)?;
    let pairs = samples.iter().enumerate().flat_map(|(index, a)| samples[index + 1..].iter().map(move |b| (a, b)));
    let slopes = pairs.filter_map(|(a, b)| {
        let run = f64::from(place(b)) - f64::from(place(a));
        (run != 0.0).then(|| (b.value - a.value) / run)
    });
    Some(median(&slopes.collect::<Vec<_>>())? / middle)
}

#[cfg(test)]
mod tests {
    use tare_model::metrics::{STARTUP_COLD, THROUGHPUT};

    use super::*;

    fn sample(subject: &str, round: u32, position: u32, value: f64) -> Sample {
        let subject = subject.parse().unwrap();
        Sample { round, position, subject, metric: &STARTUP_COLD, phase: "total".into(), value }
    }

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 1e-9
    }

    #[test]
    fn a_machine_that_gets_slower_is_seen_and_an_outlier_is_not() {
        // 1 % of 100 more each round, around 104 in the middle of nine rounds, in shuffled places.
        let places = [3, 1, 4, 2, 5, 9, 6, 8, 7];
        let mut samples: Vec<Sample> = (1..=9)
            .zip(places)
            .map(|(round, place)| sample("auth/native/process", round, place, 99.0 + f64::from(round)))
            .collect();
        samples[7].value = 900.0;
        let found = effects(&samples);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].metric, &STARTUP_COLD);
        assert!(close(found[0].drift.median, 8.0 / 104.0), "{found:?}");
    }

    #[test]
    fn what_depends_on_the_place_in_a_round_is_told_apart_from_time() {
        let places = [1, 5, 2, 4, 3, 3, 5, 1];
        let of = |subject: &str, base: f64| -> Vec<Sample> {
            let value = |place: u32| base * (1.0 + 0.1 * (f64::from(place) - 3.0));
            (1..).zip(places).map(|(round, place)| sample(subject, round, place, value(place))).collect()
        };
        let samples = [of("auth/native/process", 10.0), of("auth/docker/scratch", 500.0)].concat();
        let found = effects(&samples);
        let order = found[0].order.unwrap();
        assert!(close(order.median, 0.4) && order.n == 2, "{order:?}");
        assert!(found[0].drift.median.abs() < 0.2, "{found:?}");
    }

    #[test]
    fn few_rounds_or_none_say_nothing() {
        let samples: Vec<Sample> = (1..=3).map(|round| sample("auth/native/process", round, 1, 5.0)).collect();
        assert_eq!(effects(&samples), []);
        let once = Sample { round: 0, metric: &THROUGHPUT, phase: "closed".into(), ..samples[0].clone() };
        assert_eq!(effects(&[once]), []);
    }
}
