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

    #[test]
    fn a_median_of_zero_with_spread_is_never_tight() {
        assert!(rounds_wanted(&[-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0], 0.05) > 1000);
    }
}
