//! Which values an axis names.

use super::text;
use crate::format::count;

/// A value that an axis names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub at: f64,
    pub label: String,
}

/// The size of the labels of ticks.
pub(super) const SIZE: f64 = 11.0;

/// What labels have between them along an axis, at least.
const GAP: f64 = 14.0;

/// More would be a ruler.
const MOST: usize = 9;

/// The direction of an axis, which tells what a label takes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Across,
    Up,
}

impl Direction {
    fn extent(self, tick: &Tick) -> f64 {
        match self {
            Self::Across => text::width(&tick.label, SIZE).max(24.0),
            Self::Up => SIZE,
        }
    }
}

/// The finest of the usual sets of ticks between two values whose labels have room; `place` says where on the axis, in
/// pixels, a value lies.
pub(super) fn ticks(low: f64, high: f64, log: bool, direction: Direction, place: impl Fn(f64) -> f64) -> Vec<Tick> {
    let has_room = |ticks: &Vec<Tick>| {
        ticks.len() <= MOST
            && ticks.windows(2).all(|pair| {
                let labels = f64::midpoint(direction.extent(&pair[0]), direction.extent(&pair[1]));
                (place(pair[1].at) - place(pair[0].at)).abs() >= labels + GAP
            })
    };
    let (mut sets, even) = (Vec::new(), even(low, high));
    if log {
        // Over less than half a decade, powers of ten and their halves are too far apart.
        if high / low < 3.2 {
            sets.extend(even);
        }
        sets.extend(powers(low, high));
    } else {
        sets.extend(even);
    }
    sets.into_iter().find(has_room).unwrap_or_default()
}

/// Multiples of 1, 2 and 5 times a power of ten, from fine to coarse.
fn even(low: f64, high: f64) -> Vec<Vec<Tick>> {
    let magnitude = 10_f64.powf((high - low).log10().floor());
    let steps = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0].map(|factor| factor * magnitude);
    // One notation for all of an axis.
    let powers = is_unwieldy(low.abs().max(high.abs()));
    let set = |step: f64| {
        // A hair beyond both ends, since a step is rarely exact.
        let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
        let many = (last - first).clamp(0.0, 500.0);
        let values = (0..=500_u16).map(f64::from).take_while(|&index| index <= many);
        values.map(|index| (first + index) * step).map(|at| Tick { at, label: label(at, step, powers) }).collect()
    };
    steps.into_iter().map(set).collect()
}

/// 1, 2 and 5 of each power of ten, or 1 and 3, or only the powers, or only every so many of them.
fn powers(low: f64, high: f64) -> Vec<Vec<Tick>> {
    #[expect(clippy::cast_possible_truncation, reason = "logarithms of doubles are small, and casts saturate")]
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let kinds: [(&[f64], i32); 8] = [
        (&[1.0, 2.0, 5.0], 1),
        (&[1.0, 3.0], 1),
        (&[1.0], 1),
        (&[1.0], 2),
        (&[1.0], 3),
        (&[1.0], 10),
        (&[1.0], 30),
        (&[1.0], 100),
    ];
    let set = |(factors, every): (&[f64], i32)| -> Vec<Tick> {
        let decades = (first..=last).filter(|power| power % every == 0).map(|power| 10_f64.powi(power));
        let values = decades.flat_map(|decade| factors.iter().map(move |factor| (factor * decade, decade)));
        let within = values.filter(|(at, _)| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(at));
        within.map(|(at, decade)| Tick { at, label: label(at, decade, is_unwieldy(at)) }).collect()
    };
    kinds.into_iter().map(set).collect()
}

/// Whether a number is better read as a power of ten.
fn is_unwieldy(magnitude: f64) -> bool {
    !(1e-4..1e8).contains(&magnitude)
}

/// A multiple of a step, with as many decimals as the step has, or with a power of ten.
fn label(value: f64, step: f64, powers: bool) -> String {
    let magnitude = value.abs();
    // What is next to nothing beside the step is a zero that rounding missed.
    if magnitude < step * 1e-6 {
        return "0".into();
    }
    if powers {
        let text = format!("{value:.2e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 308, and casts saturate"
    )]
    let decimals = (-(step * 1.000_001).log10().floor()).max(0.0) as usize;
    if decimals == 0 && magnitude >= 1000.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and below 1e8")]
        let whole = count(magnitude.round() as u64);
        return if value < 0.0 { format!("−{whole}") } else { whole };
    }
    format!("{value:.decimals$}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(low: f64, high: f64, log: bool) -> String {
        let place = |value: f64| {
            if log { (value / low).ln() / (high / low).ln() * 400.0 } else { (value - low) / (high - low) * 400.0 }
        };
        let labels: Vec<String> =
            ticks(low, high, log, Direction::Across, place).into_iter().map(|tick| tick.label).collect();
        labels.join(" ")
    }

    #[test]
    fn even_axes_count_in_ones_twos_and_fives() {
        assert_eq!(shown(0.0, 3.5, false), "0 0.5 1.0 1.5 2.0 2.5 3.0 3.5");
        assert_eq!(shown(0.0, 100.0, false), "0 20 40 60 80 100");
        assert_eq!(shown(0.0, 61_234.0, false), "0 10,000 20,000 30,000 40,000 50,000 60,000");
        assert_eq!(shown(-4.0, 4.0, false), "−4 −3 −2 −1 0 1 2 3 4");
        assert_eq!(shown(0.0, 0.000_023, false), "0 5e-6 1e-5 1.5e-5 2e-5");
        assert_eq!(shown(0.0, 1e99, false), "0 2e98 4e98 6e98 8e98 1e99");
    }

    #[test]
    fn log_axes_thin_out_as_they_grow() {
        assert_eq!(shown(0.9, 60.0, true), "1 2 5 10 20 50");
        assert_eq!(shown(0.3, 480.0, true), "0.3 1 3 10 30 100 300");
        assert_eq!(shown(0.001, 1e5, true), "0.01 1 100 10,000");
        assert_eq!(shown(1e-20, 1e20, true), "1e-20 1e-10 1 1e10 1e20");
        assert_eq!(shown(0.9, 1.1, true), "0.90 0.95 1.00 1.05 1.10");
    }

    proptest! {
        #[test]
        fn labels_never_overlap(low in -12.0..12.0_f64, decades in 0.05..24.0_f64, log: bool) {
            let (low, high) = (10_f64.powf(low), 10_f64.powf(low + decades));
            let place = |value: f64| {
                if log { (value / low).log10() / decades * 380.0 } else { (value - low) / (high - low) * 380.0 }
            };
            let ticks = ticks(low, high, log, Direction::Across, place);
            prop_assert!(!ticks.is_empty());
            for pair in ticks.windows(2) {
                let half = |tick: &Tick| text::width(&tick.label, SIZE) / 2.0;
                prop_assert!(place(pair[0].at) + half(&pair[0]) < place(pair[1].at) - half(&pair[1]));
            }
        }
    }
}
