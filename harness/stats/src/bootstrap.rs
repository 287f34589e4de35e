//! The bootstrap, for statistics that have no exact interval.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use statrs::distribution::{ContinuousCDF, Normal};
use tare_model::Interval;

use crate::median::{quantile_of_sorted, sorted};

/// A seeded bootstrap: the same seed and data give the same interval on every machine.
///
/// What is resampled are the elements of a slice. Hand in whole rounds (a value, a pair, a record each), not the values
/// within a round: those are not independent.
///
/// Not for medians of few values, see [`crate::median_interval`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// How many resamples are drawn. The ends of a 95 % interval want 1,000 at least; see Efron and Tibshirani, "An
    /// Introduction to the Bootstrap" (1993), section 14.3.
    pub resamples: usize,
    /// The nominal coverage, between 0 and 1.
    pub confidence: f64,
    /// The seed of the resamples.
    pub seed: u64,
}

impl Bootstrap {
    /// The percentile interval: the quantiles of the statistic over the resamples. Efron and Tibshirani (1993), chapter
    /// 13. Nothing for no data or no resamples, or where the statistic of a resample is not a finite number.
    pub fn percentile<T: Clone>(&self, data: &[T], statistic: impl Fn(&[T]) -> f64) -> Option<Interval> {
        let tail = (1.0 - self.confidence) / 2.0;
        between(&self.replicates(data, statistic)?, tail, 1.0 - tail)
    }

    /// The bias-corrected and accelerated interval: the percentile interval with its quantiles moved by the bias of the
    /// resamples' median and by the skewness of the jackknife. Efron, "Better Bootstrap Confidence Intervals", Journal
    /// of the American Statistical Association 82 (1987); Efron and Tibshirani (1993), section 14.3.
    ///
    /// Nothing for fewer than two elements, where [`Bootstrap::percentile`] gives nothing, where the statistic of the
    /// data lies outside all resamples, so that the bias has no finite estimate, and where bias and skewness are so large
    /// together that the correction turns the order of quantiles around.
    pub fn bca<T: Clone>(&self, data: &[T], statistic: impl Fn(&[T]) -> f64) -> Option<Interval> {
        let replicates = self.replicates(data, &statistic)?;
        let acceleration = acceleration(data, &statistic)?;
        let bias = bias(&replicates, statistic(data))?;
        let normal = Normal::standard();
        let moved = |share: f64| {
            let z = bias + normal.inverse_cdf(share);
            let stretch = 1.0 - acceleration * z;
            (stretch > 0.0).then(|| normal.cdf(bias + z / stretch))
        };
        let tail = (1.0 - self.confidence) / 2.0;
        between(&replicates, moved(tail)?, moved(1.0 - tail)?)
    }

    /// The statistic of each resample, in ascending order.
    fn replicates<T: Clone>(&self, data: &[T], statistic: impl Fn(&[T]) -> f64) -> Option<Vec<f64>> {
        if data.is_empty() {
            return None;
        }
        let mut random = Pcg64::seed_from_u64(self.seed);
        let mut resample = data.to_vec();
        let draw = |_| {
            for element in &mut resample {
                element.clone_from(&data[random.random_range(0..data.len())]);
            }
            statistic(&resample)
        };
        let replicates = sorted(&(0..self.resamples).map(draw).collect::<Vec<_>>());
        replicates.iter().all(|value| value.is_finite()).then_some(replicates)
    }
}

fn between(replicates: &[f64], low: f64, high: f64) -> Option<Interval> {
    Some(Interval { low: quantile_of_sorted(replicates, low)?, high: quantile_of_sorted(replicates, high)? })
}

/// The bias correction z0: the normal quantile of the share of (sorted) replicates below the statistic of the data.
/// Those equal to it count half, so that a statistic with few distinct values is not called biased for its ties.
fn bias(replicates: &[f64], of_data: f64) -> Option<f64> {
    let below = replicates.partition_point(|value| *value < of_data) as f64;
    let up_to = replicates.partition_point(|value| *value <= of_data) as f64;
    let share = f64::midpoint(below, up_to) / replicates.len() as f64;
    (0.0 < share && share < 1.0).then(|| Normal::standard().inverse_cdf(share))
}

/// The acceleration a: a sixth of the skewness of the jackknife values; zero where these do not differ.
fn acceleration<T: Clone>(data: &[T], statistic: impl Fn(&[T]) -> f64) -> Option<f64> {
    if data.len() < 2 {
        return None;
    }
    let without = |left_out: usize| statistic(&[&data[..left_out], &data[left_out + 1..]].concat());
    let jackknife: Vec<f64> = (0..data.len()).map(without).collect();
    let mean = jackknife.iter().sum::<f64>() / jackknife.len() as f64;
    let power = |exponent: i32| jackknife.iter().map(|value| (mean - value).powi(exponent)).sum::<f64>();
    let spread = power(2);
    let acceleration = if spread == 0.0 { 0.0 } else { power(3) / (6.0 * spread.powf(1.5)) };
    acceleration.is_finite().then_some(acceleration)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{median, median_interval};

    const NINETY: Bootstrap = Bootstrap { resamples: 20_000, confidence: 0.9, seed: 1987 };

    /// Data A of the spatial test: Efron and Tibshirani (1993), table 14.1.
    const SPATIAL: [f64; 26] = [
        48.0, 36.0, 20.0, 29.0, 42.0, 42.0, 20.0, 42.0, 22.0, 41.0, 45.0, 14.0, 6.0, 0.0, 33.0, 28.0, 34.0, 4.0, 32.0,
        24.0, 47.0, 41.0, 24.0, 26.0, 30.0, 41.0,
    ];

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// The plug-in variance, which divides by n.
    fn variance(values: &[f64]) -> f64 {
        let mean = mean(values);
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64
    }

    fn near(found: Interval, printed: (f64, f64), tolerance: f64) {
        let off = (found.low - printed.0).abs().max((found.high - printed.1).abs());
        assert!(off <= tolerance, "{found:?} is not within {tolerance} of {printed:?}");
    }

    /// Efron and Tibshirani (1993), table 14.2: the 90 % intervals of the variance, from 2,000 resamples, whose own
    /// random error is about 3 at the upper end.
    #[test]
    fn intervals_of_the_spatial_test_data_are_as_printed() {
        assert!((variance(&SPATIAL) - 171.5).abs() < 0.05);
        near(NINETY.percentile(&SPATIAL, variance).unwrap(), (100.8, 233.9), 3.0);
        near(NINETY.bca(&SPATIAL, variance).unwrap(), (115.8, 259.6), 4.0);
    }

    /// Efron and Tibshirani (1993), section 14.3, and Davison and Hinkley, "Bootstrap Methods and their Application"
    /// (1997), example 5.8: the times between failures of an air-conditioning unit.
    #[test]
    fn accelerations_and_bias_are_as_printed() {
        assert!((acceleration(&SPATIAL, variance).unwrap() - 0.061).abs() < 0.0005);
        let failures = [3.0, 5.0, 7.0, 18.0, 43.0, 85.0, 91.0, 98.0, 100.0, 130.0, 230.0, 487.0];
        assert!((acceleration(&failures, mean).unwrap() - 0.0938).abs() < 0.00005);
        let bias = bias(&NINETY.replicates(&SPATIAL, variance).unwrap(), variance(&SPATIAL)).unwrap();
        assert!((bias - 0.146).abs() < 0.05, "{bias}");
    }

    /// The share of `trials` samples of `n` values, drawn from an exponential distribution, whose interval holds the
    /// distribution's median.
    fn coverage(n: usize, trials: u64, interval: impl Fn(&[f64], u64) -> Interval) -> f64 {
        let mut random = Pcg64::seed_from_u64(5);
        let covered = (0..trials).filter(|&trial| {
            let values: Vec<f64> = (0..n).map(|_| -(1.0 - random.random::<f64>()).ln()).collect();
            let Interval { low, high } = interval(&values, trial);
            (low..=high).contains(&std::f64::consts::LN_2)
        });
        covered.count() as f64 / trials as f64
    }

    /// Called 95 %, the bootstrap covers what the order statistics cover that it ends up at: of five values all of them
    /// (93.75 %, as no interval covers more), of seven the inner five (87.5 %). The interval of the median keeps its word.
    #[test]
    fn a_bootstrapped_median_covers_less_than_it_says() {
        let percentile = |values: &[f64], seed: u64| {
            Bootstrap { resamples: 1_000, confidence: 0.95, seed }.percentile(values, |v| median(v).unwrap()).unwrap()
        };
        // 2,000 trials: a standard error of 0.7 percent.
        for (n, achieved) in [(5, 0.9375), (7, 0.875)] {
            let measured = coverage(n, 2_000, percentile);
            assert!((measured - achieved).abs() < 0.02, "n = {n}: {measured}, not {achieved}");
        }
        let own = |values: &[f64], _| median_interval(values, 0.95).unwrap();
        assert!((coverage(7, 20_000, own) - 0.95).abs() < 0.01);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_another_one_another() {
        let seeded = |seed| Bootstrap { seed, ..NINETY }.bca(&SPATIAL, mean).unwrap();
        assert_eq!(seeded(1), seeded(1));
        assert_ne!(seeded(1), seeded(2));
    }

    #[test]
    fn degenerate_data_give_a_point_or_nothing() {
        assert_eq!(NINETY.percentile(&[], mean), None);
        assert_eq!(NINETY.bca(&[1.0], mean), None);
        assert_eq!(NINETY.bca(&[2.0; 8], mean), Some(Interval { low: 2.0, high: 2.0 }));
        assert_eq!(NINETY.percentile(&[1.0, 2.0], |_| f64::NAN), None);
        assert_eq!(Bootstrap { resamples: 0, ..NINETY }.bca(&SPATIAL, mean), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn intervals_are_ordered_within_the_data_and_scale_with_them(
            values in prop::collection::vec(1.0..1e6_f64, 4..30),
            power in -10..10_i32,
        ) {
            let bootstrap = Bootstrap { resamples: 400, confidence: 0.95, seed: 3 };
            let factor = 2.0_f64.powi(power);
            let scaled: Vec<f64> = values.iter().map(|value| value * factor).collect();
            let median = |values: &[f64]| median(values).unwrap();
            let (low, high) = (crate::quantile(&values, 0.0).unwrap(), crate::quantile(&values, 1.0).unwrap());
            let percentile = bootstrap.percentile(&values, median).unwrap();
            prop_assert!(low <= percentile.low && percentile.low <= percentile.high && percentile.high <= high);
            let of_scaled = bootstrap.percentile(&scaled, median).unwrap();
            prop_assert_eq!(of_scaled, Interval { low: percentile.low * factor, high: percentile.high * factor });
            if let Some(bca) = bootstrap.bca(&values, median) {
                prop_assert!(low <= bca.low && bca.low <= bca.high && bca.high <= high);
            }
        }
    }
}
