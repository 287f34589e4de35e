//! Whether a figure is better or worse in another run.

use tare_model::{Better, Change, Interval};

use crate::agreement::overlap;
use crate::{Cell, Summary, half_width};

/// The least difference between medians that counts, as a share of the first: less is not seen in a ratio of three digits.
const LEAST: f64 = 0.005;

/// What became of a cell from one run to another. The runs were not interleaved, so that nothing is paired.
///
/// It is better or worse where the intervals of [`within`] have nothing in common, as [`crate::agreement`] has it, and the
/// medians differ by half a percent or more. It is unchanged where they differ by less, or where the intervals overlap and both
/// lie within `precision` (a share: 0.05 is 5 %) of their medians. Else the runs cannot tell.
pub fn change(from: (&Summary, &Cell), to: (&Summary, &Cell), precision: f64) -> Change {
    let (Some(before), Some(after)) = (within(from), within(to)) else { return Change::Inconclusive };
    let (from, to, better) = (from.1.value.median, to.1.value.median, to.1.metric.better);
    let is_precise = half_width(from, before) <= precision && half_width(to, after) <= precision;
    match worse_by(better, from, to) {
        _ if overlap(before, after) && !is_precise => Change::Inconclusive,
        _ if overlap(before, after) => Change::Unchanged,
        share if share >= LEAST => Change::Regressed,
        share if share <= -LEAST => Change::Improved,
        _ => Change::Unchanged,
    }
}

/// The interval in which the median of a cell lies: at 95 %; the value itself where it is measured once and no matter of chance
/// (sizes); without an upper end where the value is only a lower bound. `None` where there are too few rounds.
pub fn within((summary, cell): (&Summary, &Cell)) -> Option<Interval> {
    let is_exact = cell.metric.group.headline().is_none();
    let point = is_exact.then_some(Interval { low: cell.value.median, high: cell.value.median });
    let interval = cell.value.interval.or(point)?;
    let high = if summary.is_lower_bound(cell) { f64::INFINITY } else { interval.high };
    Some(Interval { high, ..interval })
}

/// By how much a value is worse than another, as a share of that: 0.5 is half as much again of what should be low, or half of
/// what should be high. Negative where it is better; from zero any worse value is infinitely worse.
pub fn worse_by(better: Better, from: f64, to: f64) -> f64 {
    let more = match (from > 0.0, to > 0.0) {
        (true, _) => to / from - 1.0,
        (false, true) => f64::INFINITY,
        (false, false) => 0.0,
    };
    match better {
        Better::Lower => more,
        Better::Higher => -more,
    }
}

#[cfg(test)]
mod tests {
    use tare_model::metrics::{SIZE, STARTUP_COLD, SUSTAINED_RATE, THROUGHPUT};
    use tare_model::{Metric, Sample};

    use super::*;
    use crate::{Reference, summarise};

    fn run(metric: &'static Metric, phase: &str, values: &[f64]) -> Summary {
        let sample = |(round, value): (u32, &f64)| Sample {
            round,
            position: 1,
            subject: "auth/native/process".parse().unwrap(),
            metric,
            phase: phase.into(),
            value: *value,
        };
        summarise(&(1..).zip(values).map(sample).collect::<Vec<_>>(), &Reference::default())
    }

    fn changed(from: &Summary, to: &Summary) -> Change {
        change((from, &from.cells[0]), (to, &to.cells[0]), 0.05)
    }

    /// Eight rounds around a value, which reach so far from it to either side, as a share.
    fn around(value: f64, reach: f64) -> Vec<f64> {
        [-1.0, -0.9, -0.2, 0.0, 0.0, 0.2, 0.9, 1.0].map(|step| value * (1.0 + reach * step)).into()
    }

    #[test]
    fn worse_and_better_follow_the_metric_and_wide_intervals_tell_nothing() {
        let start = |value, reach| run(&STARTUP_COLD, "total", &around(value, reach));
        let rate = |value, reach| run(&THROUGHPUT, "closed", &around(value, reach));
        assert_eq!(changed(&start(100.0, 0.01), &start(120.0, 0.01)), Change::Regressed);
        assert_eq!(changed(&start(120.0, 0.01), &start(100.0, 0.01)), Change::Improved);
        assert_eq!(changed(&rate(100.0, 0.01), &rate(120.0, 0.01)), Change::Improved);
        assert_eq!(changed(&rate(120.0, 0.01), &rate(100.0, 0.01)), Change::Regressed);
        assert_eq!(changed(&start(100.0, 0.03), &start(101.0, 0.03)), Change::Unchanged);
        assert_eq!(changed(&start(100.0, 0.4), &start(120.0, 0.4)), Change::Inconclusive);
        // Apart, and by nothing that anybody could see.
        assert_eq!(changed(&start(100.0, 0.0), &start(100.1, 0.0)), Change::Unchanged);
    }

    #[test]
    fn few_rounds_tell_nothing_but_of_what_is_no_matter_of_chance() {
        let few = |value: f64| run(&STARTUP_COLD, "total", &[value; 5]);
        assert_eq!(changed(&few(100.0), &few(300.0)), Change::Inconclusive);
        let size = |value: f64| run(&SIZE, "artifact", &[value]);
        assert_eq!(changed(&size(1000.0), &size(1100.0)), Change::Regressed);
        assert_eq!(changed(&size(1000.0), &size(1000.0)), Change::Unchanged);
    }

    #[test]
    fn a_lower_bound_may_be_any_greater_value() {
        let exact = |value: f64| run(&SUSTAINED_RATE, "p99", &[value; 6]);
        let bound = |value: f64| {
            let mut all = exact(value);
            all.cells.extend(run(&SUSTAINED_RATE, "at_least", &[value; 6]).cells);
            all
        };
        assert_eq!(changed(&exact(3100.0), &bound(4400.0)), Change::Improved);
        assert_eq!(changed(&bound(4400.0), &exact(3100.0)), Change::Regressed);
        assert_eq!(changed(&exact(4400.0), &bound(3100.0)), Change::Inconclusive);
        assert_eq!(changed(&bound(3100.0), &bound(4400.0)), Change::Inconclusive);
    }

    #[test]
    fn shares_are_of_the_first_value() {
        for (better, from, to, share) in [
            (Better::Lower, 100.0, 150.0, 0.5),
            (Better::Higher, 100.0, 50.0, 0.5),
            (Better::Higher, 100.0, 150.0, -0.5),
            (Better::Lower, 0.0, 1.0, f64::INFINITY),
            (Better::Higher, 0.0, 1.0, f64::NEG_INFINITY),
            (Better::Lower, 0.0, 0.0, 0.0),
        ] {
            assert!(worse_by(better, from, to).total_cmp(&share).is_eq(), "{better:?} from {from} to {to}");
        }
    }
}
