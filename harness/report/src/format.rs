//! Numbers for people.

use tare_model::{Interval, Unit};
use tare_stats::Estimate;

/// What values of a unit are divided by to be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    divisor: f64,
    pub name: &'static str,
}

impl Scale {
    /// The scale for a column: the coarsest in which its smallest value is not tiny. Sizes are decimal (1 MB is
    /// 1,000,000 bytes).
    pub(crate) fn of(unit: Unit, smallest: f64) -> Self {
        // The value from which each scale is used, the divisor, the name.
        let scales: &[(f64, f64, &str)] = match unit {
            Unit::Bytes => &[(1e9, 1e9, "GB"), (1e5, 1e6, "MB"), (1e2, 1e3, "kB"), (0.0, 1.0, "B")],
            Unit::Nanoseconds => &[(1e9, 1e9, "s"), (1e5, 1e6, "ms"), (1e2, 1e3, "µs"), (0.0, 1.0, "ns")],
            Unit::RequestsPerSecond => &[(0.0, 1.0, "requests/s")],
            Unit::Count => &[(0.0, 1.0, "")],
        };
        let found = scales.iter().find(|(from, ..)| smallest >= *from).or(scales.last());
        let (divisor, name) = found.map_or((1.0, ""), |(_, divisor, name)| (*divisor, *name));
        Self { divisor, name }
    }

    /// A value in this scale.
    pub(crate) fn value(self, value: f64) -> f64 {
        value / self.divisor
    }

    pub(crate) fn number(self, value: f64) -> String {
        number(value / self.divisor)
    }
}

/// A value in its own scale with its unit, for running text.
pub(crate) fn with_unit(unit: Unit, value: f64) -> String {
    let scale = Scale::of(unit, value);
    format!("{} {}", scale.number(value), scale.name).trim_end().into()
}

/// A count with its thousands marked.
pub(crate) fn count(value: impl TryInto<u64>) -> String {
    let digits = value.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three significant digits, at most three decimals, and every digit before the point.
pub(crate) fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 999.5 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and casts saturate")]
        let whole = magnitude.round() as u64;
        return format!("{}{}", if value < 0.0 { "-" } else { "" }, count(whole));
    }
    // The limits are where rounding to the decimals named would give a digit more.
    let decimals = match magnitude {
        0.0 => 0,
        _ if magnitude < 9.995 => {
            if magnitude < 0.9995 {
                3
            } else {
                2
            }
        }
        _ if magnitude < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// A ratio: `6.71×`.
pub(crate) fn ratio(value: f64) -> String {
    if (0.095..0.9995).contains(&value) { format!("{value:.2}×") } else { format!("{}×", number(value)) }
}

/// How far an estimate may be off, as a share of its median: `±3%` where there is an interval, `~3%` for the range of
/// all rounds where there are too few for one, empty for one round.
pub(crate) fn spread(estimate: &Estimate) -> String {
    let (sign, Interval { low, high }) = match estimate.interval {
        Some(interval) => ('±', interval),
        None if estimate.n > 1 => ('~', estimate.range),
        None => return String::new(),
    };
    let share = (high - estimate.median).max(estimate.median - low) / estimate.median.abs() * 100.0;
    // Rounded up, so that the statement stays true; a hair less, so that 3 is not made 4 by the last bit.
    if !share.is_finite() {
        return String::new();
    }
    let share = (share - 1e-9).max(0.0).ceil();
    // An estimate that may be off tenfold tells nothing; by how much more tells no more.
    if share > 999.0 { format!("{sign}>999%") } else { format!("{sign}{share:.0}%") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits() {
        let shown = [0.0, 0.0412, 0.4567, 0.9996, 1.0, 9.994, 9.996, 12.34, 99.96, 211.4, 999.6, 12_345.6, 1_234_567.0];
        let expected = [
            "0",
            "0.041",
            "0.457",
            "1.00",
            "1.00",
            "9.99",
            "10.0",
            "12.3",
            "100",
            "211",
            "1,000",
            "12,346",
            "1,234,567",
        ];
        assert_eq!(shown.map(number), expected);
        assert_eq!(number(-1234.0), "-1,234");
    }

    #[test]
    fn ratios_keep_what_matters() {
        let shown = [0.0041, 0.0949, 0.456, 0.9996, 1.0, 1.034, 22.41, 224.4, 5000.0].map(ratio);
        assert_eq!(shown, ["0.004×", "0.095×", "0.46×", "1.00×", "1.00×", "1.03×", "22.4×", "224×", "5,000×"]);
    }

    #[test]
    fn a_column_gets_the_coarsest_scale_that_its_smallest_value_allows() {
        let name = |unit, smallest| Scale::of(unit, smallest).name;
        assert_eq!(name(Unit::Bytes, 121e3), "MB");
        assert_eq!(name(Unit::Bytes, 99e3), "kB");
        assert_eq!(name(Unit::Nanoseconds, 0.6e6), "ms");
        assert_eq!(name(Unit::Nanoseconds, 47e3), "µs");
        assert_eq!(name(Unit::Nanoseconds, 211e6), "ms");
        assert_eq!(name(Unit::Nanoseconds, 1.2e9), "s");
        assert_eq!(Scale::of(Unit::Nanoseconds, 0.6e6).number(211e6), "211");
        assert_eq!(with_unit(Unit::Bytes, 25.2e9), "25.2 GB");
    }

    #[test]
    fn spreads_are_rounded_up_and_say_what_they_are() {
        let of = |values: &[f64]| spread(&Estimate::of(values).unwrap());
        assert_eq!(of(&[97.0, 99.0, 100.0, 100.0, 101.0, 102.1]), "±3%");
        assert_eq!(of(&[97.0, 100.0, 103.0]), "~3%");
        assert_eq!(of(&[50.0; 6]), "±0%");
        assert_eq!(of(&[1.0, 1.0, 20.0]), "~>999%");
        assert_eq!(of(&[100.0]), "");
        assert_eq!(of(&[0.0, 0.0]), "");
    }
}
