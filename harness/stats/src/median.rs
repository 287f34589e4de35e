//! Quantiles, and the interval of the median.

use statrs::distribution::{Binomial, DiscreteCDF};
use tare_model::Interval;

/// The median: the middle value, or the mean of the two in the middle. Nothing for no values.
///
/// Every value must be a finite number.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The quantile at `share` (0 to 1, others are brought into it), linear between the two order statistics around
/// `(n - 1) * share`: type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American Statistician
/// 50 (1996). Nothing for no values.
///
/// Every value must be a finite number.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    quantile_of_sorted(&sorted(values), share)
}

/// [`quantile`] of values that are in ascending order.
pub(crate) fn quantile_of_sorted(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = last as f64 * share.clamp(0.0, 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last index")]
    let below = place.floor() as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    // In this form it grows with the share and is exact between equals; only the last bit could pass the upper value.
    Some((low + (high - low) * (place - place.floor())).min(high))
}

pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The interval that covers the median of the underlying distribution with the probability `confidence` (between 0 and 1),
/// or `None` where even the smallest and the largest value do not: with fewer than six values for 95 %.
///
/// Between the k-th smallest and the k-th largest of n values, the coverage is 1 - 2 P(B < k) for a binomial B of n trials
/// at one half, whatever the distribution; see Conover, "Practical Nonparametric Statistics" (1999), section 3.2. It jumps
/// with k, so that the narrowest pair that covers enough mostly covers too much: 97.9 % of ten values for 95 %. The ends
/// are therefore taken between that pair and the next one inwards, by Hettmansperger and Sheather, "Confidence intervals
/// based on interpolated order statistics", Statistics & Probability Letters 4 (1986): their weights are exact for a double
/// exponential distribution and nearly so for others, skewed ones too (the simulation in the tests).
pub fn median_interval(values: &[f64], confidence: f64) -> Option<Interval> {
    let n = values.len();
    let (k, outer) = order_statistic(n, confidence)?;
    let sorted = sorted(values);
    let (low, high) = (sorted[k - 1], sorted[n - k]);
    let inwards = k + 1;
    if inwards > n / 2 {
        return Some(Interval { low, high });
    }
    let inner = coverage(n, inwards);
    let share = (outer - confidence) / (outer - inner);
    let (n_f, k_f) = (n as f64, k as f64);
    let weight = (n_f - k_f) * share / (k_f + (n_f - 2.0 * k_f) * share);
    let toward = |end: f64, next: f64| end + (next - end) * weight;
    Some(Interval { low: toward(low, sorted[inwards - 1]), high: toward(high, sorted[n - inwards]) })
}

/// The probability with which the k-th smallest and the k-th largest of n values enclose the median.
fn coverage(n: usize, k: usize) -> f64 {
    let trials = Binomial::new(0.5, n as u64).expect("one half is a probability");
    1.0 - 2.0 * trials.cdf(k as u64 - 1)
}

/// The greatest k (from 1) whose pair of order statistics covers the median of n values well enough, and its coverage.
fn order_statistic(n: usize, confidence: f64) -> Option<(usize, f64)> {
    (1..=n / 2).map(|k| (k, coverage(n, k))).take_while(|(_, coverage)| *coverage >= confidence).last()
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;
    use statrs::distribution::{ContinuousCDF, Normal};

    use super::*;

    #[test]
    fn quantiles_are_of_type_seven() {
        // The default of R's `quantile`: of 1, 2, 4, 8 at 0.25, 0.5, 0.9.
        let values = [8.0, 1.0, 4.0, 2.0];
        assert_eq!(quantile(&values, 0.25), Some(1.75));
        assert_eq!(quantile(&values, 0.5), Some(3.0));
        assert!((quantile(&values, 0.9).unwrap() - 6.8).abs() < 1e-12);
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&values, 1.0), Some(8.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn a_quantile_between_equals_is_their_value() {
        let value = 724_395.077_272_858_4;
        for share in [0.1, 0.3, 0.7, 0.975] {
            assert_eq!(quantile(&[value; 4], share), Some(value));
        }
    }

    #[test]
    fn medians_of_odd_even_and_no_values() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
    }

    /// Coverage in percent of the interval between the k-th smallest and k-th largest of n values, as printed in the
    /// tables of textbooks ("confidence intervals for the population median").
    const PRINTED: &[(usize, usize, f64)] = &[
        (6, 1, 96.9),
        (7, 1, 98.4),
        (8, 1, 99.2),
        (9, 2, 96.1),
        (10, 2, 97.9),
        (11, 2, 98.8),
        (12, 3, 96.1),
        (13, 3, 97.8),
        (15, 4, 96.5),
        (16, 4, 97.9),
        (17, 5, 95.1),
        (18, 5, 96.9),
        (19, 5, 98.1),
        (20, 6, 95.9),
    ];

    #[test]
    fn coverage_is_that_of_the_printed_tables() {
        for &(n, k, percent) in PRINTED {
            let (found, coverage) = order_statistic(n, 0.95).unwrap();
            assert_eq!(found, k, "n = {n}");
            assert!((coverage * 100.0 - percent).abs() < 0.06, "n = {n}: {coverage}");
        }
    }

    #[test]
    fn fewer_than_six_values_have_no_interval_of_95_percent() {
        for n in 0..6 {
            assert_eq!(median_interval(&vec![1.0; n], 0.95), None, "n = {n}");
        }
        let Interval { low, high } = median_interval(&[5.0, 4.0, 1.0, 2.0, 3.0], 0.9375).unwrap();
        assert!((low - 1.0).abs() < 1e-9 && (high - 5.0).abs() < 1e-9, "{low} {high}");
    }

    #[test]
    fn ends_lie_between_order_statistics_as_published() {
        // The example of the R package BSDA for the sign test: of these eleven values, 98.83 % lies between 6.5 and 7.6, and
        // 93.46 % between 6.6 and 7.4. The weight of the inner pair at 95 %, worked out by hand from the paper's formula, is
        // 9 * 0.71273 / (2 + 7 * 0.71273) = 0.91780.
        let values = [7.8, 6.6, 6.5, 7.4, 7.3, 7.0, 6.4, 7.1, 6.7, 7.6, 6.8];
        let close = |found: f64, expected: f64| (found - expected).abs() < 5e-5;
        assert!(close(coverage(11, 2), 0.98828) && close(coverage(11, 3), 0.93457));
        let Interval { low, high } = median_interval(&values, 0.95).unwrap();
        assert!(close(low, 6.5 + 0.1 * 0.91780) && close(high, 7.6 - 0.2 * 0.91780), "{low} {high}");
        // At the coverage of a pair it is that pair.
        let Interval { low, high } = median_interval(&values, coverage(11, 3)).unwrap();
        assert!((low - 6.6).abs() < 1e-9 && (high - 7.4).abs() < 1e-9, "{low} {high}");
    }

    #[test]
    fn many_values_are_no_trouble() {
        // The normal approximation gives k = 5000 - 0.98 * 100 = 4902 for ten thousand values.
        let (k, coverage) = order_statistic(10_000, 0.95).unwrap();
        assert!((4900..=4903).contains(&k), "{k}");
        assert!((0.95..0.952).contains(&coverage), "{coverage}");
    }

    /// How often, in percent, the 95 % interval of n values covers the median of the distribution that they are drawn from.
    fn covered(n: usize, truth: f64, mut draw: impl FnMut(&mut Pcg64) -> f64) -> f64 {
        const TRIALS: usize = 20_000;
        let mut random = Pcg64::seed_from_u64(2026);
        let hits = (0..TRIALS).filter(|_| {
            let values: Vec<f64> = (0..n).map(|_| draw(&mut random)).collect();
            let Interval { low, high } = median_interval(&values, 0.95).unwrap();
            low <= truth && truth <= high
        });
        hits.count() as f64 / TRIALS as f64 * 100.0
    }

    /// The noise of measurements: symmetric; with a long tail upwards; and of two kinds of rounds, a third of them slow.
    /// EXPERIMENTS.md has this table, of 20,000 draws each: a standard error of 0.15 percent.
    #[test]
    fn intervals_of_95_percent_cover_93_to_97_percent() {
        // Box and Muller's.
        let gauss = |random: &mut Pcg64| {
            let (radius, turn) = (random.random_range(f64::EPSILON..1.0_f64), random.random_range(0.0..TAU));
            (-2.0 * radius.ln()).sqrt() * turn.cos()
        };
        // Three quarters of the faster kind lie below the median of both.
        let between = 100.0 + 2.0 * Normal::standard().inverse_cdf(0.75);
        let mut table = Vec::new();
        for n in [6, 7, 8, 9, 10, 12, 15, 20, 50] {
            let row = [
                covered(n, 100.0, |random| 100.0 + 5.0 * gauss(random)),
                covered(n, 1.0, |random| (0.7 * gauss(random)).exp()),
                covered(n, between, |random| {
                    let slow = random.random_range(0..3) == 0;
                    (if slow { 120.0 } else { 100.0 }) + 2.0 * gauss(random)
                }),
            ];
            table.push(format!("{n:>3} {:5.1} {:5.1} {:5.1}", row[0], row[1], row[2]));
            let kept = row.iter().all(|share| (93.0..=97.0).contains(share));
            assert!(kept, "of n values; normal, skewed, two peaks:\n{}", table.join("\n"));
        }
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(-1e9..1e9_f64, 1..60)
    }

    proptest! {
        // A failing case is printed whole: it belongs in a test of its own, not in a file of seeds.
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_interval_holds_the_median_and_lies_within_the_values(values in values(), confidence in 0.5..0.999_f64) {
            let middle = median(&values).unwrap();
            if let Some(Interval { low, high }) = median_interval(&values, confidence) {
                let (least, most) = (quantile(&values, 0.0).unwrap(), quantile(&values, 1.0).unwrap());
                prop_assert!(least <= low && low <= middle && middle <= high && high <= most);
            }
        }

        #[test]
        fn more_confidence_is_never_narrower(values in values(), lower in 0.5..0.99_f64, more in 0.0..0.009_f64) {
            if let Some(wide) = median_interval(&values, lower + more) {
                let narrow = median_interval(&values, lower).unwrap();
                let rounding = 1e-9 * (wide.high - wide.low);
                prop_assert!(wide.low <= narrow.low + rounding && narrow.high <= wide.high + rounding);
            }
        }

        #[test]
        fn quantiles_grow_with_their_share(values in values(), a in 0.0..=1.0_f64, b in 0.0..=1.0_f64) {
            prop_assert!(quantile(&values, a.min(b)).unwrap() <= quantile(&values, a.max(b)).unwrap());
        }

        #[test]
        fn raising_a_value_never_lowers_anything(values in values(), at: prop::sample::Index, by in 0.0..1e9_f64) {
            let mut raised = values.clone();
            raised[at.index(values.len())] += by;
            prop_assert!(median(&values).unwrap() <= median(&raised).unwrap());
            if let (Some(before), Some(after)) = (median_interval(&values, 0.9), median_interval(&raised, 0.9)) {
                prop_assert!(before.low <= after.low && before.high <= after.high);
            }
        }

        // By powers of two, so that scaling is exact in floating point.
        #[test]
        fn scaling_the_values_scales_the_results(values in values(), power in -20..20_i32) {
            let factor = 2.0_f64.powi(power);
            let scaled: Vec<f64> = values.iter().map(|value| value * factor).collect();
            prop_assert_eq!(median(&scaled), median(&values).map(|median| median * factor));
            let interval = median_interval(&values, 0.9);
            let expected = interval.map(|Interval { low, high }| Interval { low: low * factor, high: high * factor });
            prop_assert_eq!(median_interval(&scaled, 0.9), expected);
        }

        #[test]
        fn the_order_of_the_values_does_not_matter(
            (values, shuffled) in values().prop_flat_map(|values| (Just(values.clone()), Just(values).prop_shuffle())),
        ) {
            prop_assert_eq!(median(&values), median(&shuffled));
            prop_assert_eq!(median_interval(&values, 0.9), median_interval(&shuffled, 0.9));
        }
    }
}
