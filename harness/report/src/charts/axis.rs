//! Axes: which part of the numbers they show, evenly or by ratios.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged};

use super::AxisScale;
use super::ticks::{Direction, Tick, ticks};

/// From this ratio of the largest to the smallest value on, an even axis would press the small ones against zero.
pub(crate) const LOG_FROM: f64 = 30.0;

/// An axis: an affine or logarithmic map from values to pixels, and the values that it names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub log: bool,
    low: f64,
    high: f64,
    pub ticks: Vec<Tick>,
}

/// The value, if it can be drawn: powers of it must stay within what a double can hold.
pub(super) fn drawable(value: f64) -> Option<f64> {
    let magnitude = value.abs();
    if magnitude < 1e-100 {
        return Some(0.0);
    }
    (magnitude < 1e100).then_some(value)
}

impl Axis {
    /// The axis for values, of which the range decides the kind, and for what else must be seen on it (ends of intervals,
    /// references), over so many pixels.
    pub(super) fn of(scale: AxisScale, values: &[f64], others: &[f64], direction: Direction, pixels: i32) -> Self {
        let values: Vec<f64> = values.iter().copied().filter_map(drawable).collect();
        let all = values.iter().copied().chain(others.iter().copied().filter_map(drawable));
        let positive = extremes(values.iter().copied().filter(|value| *value > 0.0));
        let log = match scale {
            AxisScale::Auto => positive.is_some_and(|(low, high)| high / low > LOG_FROM),
            AxisScale::Log | AxisScale::Ratio => true,
        };
        let (low, high) = if scale == AxisScale::Ratio {
            around_one(all.filter(|value| *value > 0.0))
        } else if log {
            let values = positive.unwrap_or((1.0, 1.0));
            // An interval that reaches down to next to nothing must not make the values indistinguishable.
            by_ratios(values, extremes(all.filter(|other| *other >= values.0 / LOG_FROM)))
        } else {
            from_zero(extremes(all))
        };
        Self::between(low, high, log).named(direction, pixels)
    }

    /// The axis from one value to another, with no ticks yet.
    pub(super) fn between(low: f64, high: f64, log: bool) -> Self {
        Self { log, low, high, ticks: Vec::new() }
    }

    /// Shares of a whole, in percent.
    pub(super) fn shares() -> Self {
        let tick = |share: u8| Tick { at: f64::from(share), label: share.to_string() };
        Self { ticks: [0, 25, 50, 75, 100].map(tick).into(), ..Self::between(0.0, 100.0, false) }
    }

    /// Evenly spaced categories, each named.
    pub(super) fn categories(names: &[String]) -> Self {
        let tick = |(index, name): (usize, &String)| Tick { at: index as f64, label: name.clone() };
        let ticks = names.iter().enumerate().map(tick).collect();
        Self { ticks, ..Self::between(-0.25, names.len().max(1) as f64 - 0.75, false) }
    }

    fn named(mut self, direction: Direction, pixels: i32) -> Self {
        self.ticks =
            ticks(self.low, self.high, self.log, direction, |value| self.share(value) * f64::from(pixels.abs()));
        self
    }

    /// Whether the axis has a place for a value: NaN has none anywhere, zero none on a log axis.
    pub(super) fn has(&self, value: f64) -> bool {
        drawable(value).is_some_and(|value| !self.log || value > 0.0)
    }

    /// How far along the axis a value lies, from 0 to 1; what lies beyond an end is put there.
    fn share(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(f64::MIN_POSITIVE) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }

    /// Whether a value lies between the ends.
    pub(super) fn reaches(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

fn extremes(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |found: Option<(f64, f64)>, value| {
        Some(found.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
    })
}

/// An even axis begins at zero, since its lengths are compared.
fn from_zero(seen: Option<(f64, f64)>) -> (f64, f64) {
    let (low, high) = seen.unwrap_or((0.0, 0.0));
    let (low, high) = (low.min(0.0), high.max(0.0));
    if low >= high {
        return (0.0, 1.0);
    }
    let margin = 0.03 * (high - low);
    (if low < 0.0 { low - margin } else { 0.0 }, if high > 0.0 { high + margin } else { 0.0 })
}

fn by_ratios(values: (f64, f64), all: Option<(f64, f64)>) -> (f64, f64) {
    let (low, high) = all.map_or(values, |(low, high)| (low.min(values.0), high.max(values.1)));
    let margin = (high / low).max(2.0).powf(0.04);
    (low / margin, high * margin)
}

/// As far below one as above.
fn around_one(ratios: impl Iterator<Item = f64>) -> (f64, f64) {
    let farthest = ratios.map(|ratio| ratio.ln().abs()).fold(0.0_f64, f64::max);
    let high = if farthest < 1e-3 { 1.1 } else { (farthest * 1.06).exp() };
    (1.0 / high, high)
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        super::canvas::pixel(f64::from(from) + f64::from(to - from) * self.share(*value))
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        self.ticks.iter().map(|tick| tick.at).take(hint.max_num_points()).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn axis(scale: AxisScale, values: &[f64], others: &[f64]) -> Axis {
        Axis::of(scale, values, others, Direction::Across, 400)
    }

    #[test]
    fn a_log_axis_is_taken_where_the_range_demands_it() {
        assert!(!axis(AxisScale::Auto, &[1.0, 30.0], &[]).log);
        assert!(axis(AxisScale::Auto, &[1.0, 31.0], &[]).log);
        assert!(axis(AxisScale::Auto, &[0.0, f64::NAN, 1.0, 466.0], &[]).log);
        assert!(!axis(AxisScale::Auto, &[10.0, 12.0], &[0.001, 500.0]).log, "only values decide");
        assert!(!axis(AxisScale::Auto, &[], &[]).log);
        assert!(axis(AxisScale::Log, &[1.0, 2.0], &[]).log);
    }

    #[test]
    fn even_axes_begin_at_zero() {
        assert_eq!(axis(AxisScale::Auto, &[2.0, 3.0], &[]).range(), 0.0..3.09);
        assert_eq!(axis(AxisScale::Auto, &[0.0], &[]).range(), 0.0..1.0);
        assert!(axis(AxisScale::Auto, &[-2.0, 3.0], &[]).range().contains(&-2.0));
    }

    #[test]
    fn ratios_lie_around_one() {
        let found = axis(AxisScale::Ratio, &[0.9, 1.02], &[]);
        assert_eq!(found.map(&1.0, (0, 400)), 200);
        assert!(found.reaches(0.9) && found.reaches(1.0 / 0.9));
        assert!(axis(AxisScale::Ratio, &[1.0], &[]).reaches(1.05));
    }

    #[test]
    fn an_interval_without_end_does_not_press_the_values_together() {
        let found = axis(AxisScale::Auto, &[1.0, 466.0], &[1e-9, 470.0]);
        assert!(found.range().start > 0.5, "{found:?}");
        assert_eq!(found.map(&1e-9, (10, 400)), 10);
    }

    proptest! {
        #[test]
        fn everything_lies_on_the_axis(values in prop::collection::vec(any::<f64>(), 0..20), other: f64, ratio: bool) {
            let found = axis(if ratio { AxisScale::Ratio } else { AxisScale::Auto }, &values, &[other]);
            prop_assert!(found.low < found.high, "{found:?}");
            for value in values {
                prop_assert!((0..=400).contains(&found.map(&value, (0, 400))));
                if found.has(value) {
                    prop_assert!(found.reaches(drawable(value).unwrap()), "{value} of {found:?}");
                }
            }
        }
    }
}
