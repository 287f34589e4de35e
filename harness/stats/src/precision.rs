//! How long to measure: until intervals are tight.

use tare_model::Interval;

use crate::{CONFIDENCE, median, median_interval};

/// The fewest values of which a 95 % interval exists.
pub const LEAST_ROUNDS: usize = 6;

/// How many more values the median of these wants until its 95 % interval lies within `target` (a share: 0.05 is 5 %) of
/// it to both sides; 0 where it does already.
///
/// An interval shrinks with the root of the number of values, so that one twice too wide wants four times as many. That is
/// a forecast and no promise: the caller asks again when there are more.
pub fn rounds_wanted(values: &[f64], target: f64) -> usize {
    let n = values.len();
    let (Some(middle), Some(interval)) = (median(values), median_interval(values, CONFIDENCE)) else {
        return LEAST_ROUNDS.saturating_sub(n).max(1);
    };
    let wide = half_width(middle, interval);
    if wide <= target {
        return 0;
    }
    let wanted = (n as f64 * (wide / target).powi(2)).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and cut off where it is absurd"
    )]
    let wanted = wanted.min(1e6) as usize;
    (wanted - n).max(1)
}

/// How far an interval reaches from its median, to the farther side and relative to it. A median of zero has an interval of
/// no width or one without bounds.
pub fn half_width(median: f64, interval: Interval) -> f64 {
    let reach = (median - interval.low).max(interval.high - median);
    if reach <= 0.0 { 0.0 } else { reach / median.abs() }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;

    #[test]
    fn tight_values_want_no_more_and_few_want_enough_for_an_interval() {
        assert_eq!(rounds_wanted(&[100.0; 6], 0.05), 0);
        assert_eq!(rounds_wanted(&[0.0; 6], 0.05), 0);
        assert_eq!(rounds_wanted(&[], 0.05), 6);
        assert_eq!(rounds_wanted(&[1.0, 2.0], 0.05), 4);
    }

    #[test]
    fn an_interval_twice_too_wide_wants_four_times_as_many() {
        let values: Vec<f64> = (0..20).map(f64::from).map(|index| 90.5 + index).collect();
        let wide = half_width(100.0, median_interval(&values, CONFIDENCE).unwrap());
        assert!((0.03..0.06).contains(&wide), "{wide}");
        let more = rounds_wanted(&values, wide / 2.0);
        assert!((59..=61).contains(&more), "{more}");
        assert_eq!(rounds_wanted(&values, wide), 0);
        assert_eq!(rounds_wanted(&values, wide * 0.9999), 1);
    }

    /// Measuring until an interval is tight stops at lucky values too, so that it covers less than it says. Looked at only
    /// when the rounds that were forecast are there, it stays near. EXPERIMENTS.md has these figures.
    #[test]
    fn stopping_when_it_is_tight_costs_little_coverage() {
        const TRIALS: usize = 10_000;
        let mut random = Pcg64::seed_from_u64(2026);
        let mut told = Vec::new();
        for spread in [0.03, 0.05, 0.08, 0.12] {
            for most in [8, 40] {
                let covered = (0..TRIALS).filter(|_| {
                    let mut draw = || {
                        let (radius, turn) =
                            (random.random_range(f64::EPSILON..1.0_f64), random.random_range(0.0..TAU));
                        100.0 * (1.0 + spread * (-2.0 * radius.ln()).sqrt() * turn.cos())
                    };
                    let mut values: Vec<f64> = (0..LEAST_ROUNDS).map(|_| draw()).collect();
                    loop {
                        let more = rounds_wanted(&values, 0.05).min(most - values.len());
                        if more == 0 {
                            break;
                        }
                        values.extend((0..more).map(|_| draw()));
                    }
                    let Interval { low, high } = median_interval(&values, CONFIDENCE).unwrap();
                    low <= 100.0 && 100.0 <= high
                });
                let share = covered.count() as f64 / TRIALS as f64 * 100.0;
                told.push(format!("spread {spread}, at most {most}: {share:.1}"));
                assert!((92.0..96.0).contains(&share), "{}", told.join("\n"));
            }
        }
    }

    #[test]
    fn a_median_of_zero_with_spread_is_never_tight() {
        assert!(rounds_wanted(&[-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0], 0.05) > 1000);
    }
}
