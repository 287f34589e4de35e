//! Whether two runs of the same thing say the same.

use std::f64::consts::SQRT_2;

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};
use tare_model::metrics::{MEMORY_TRACE, SUSTAINED_RATE, THROUGHPUT};
use tare_model::{Interval, VariantId};

use crate::{Cell, Summary};

/// What two runs say of the same cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// The cells that have an interval in both runs.
    pub cells: usize,
    /// Those whose intervals do not overlap: the cell of the one run and of the other.
    pub apart: Vec<(Cell, Cell)>,
    /// The ratios of the reference to itself in either run, where they have an interval.
    pub noise_cells: usize,
    /// Those whose interval excludes 1.
    pub noise_excludes_one: Vec<Cell>,
}

/// Compares two runs cell by cell; `noise` is the variant that is the reference once more.
///
/// What a run has set itself is left out, as it is no result: the throughput of the open loop, and how far the sweep went;
/// and so are memory's readings over time, each of which says again what the one before said.
///
/// Two 95 % intervals of the same median overlap far more often than in 95 of 100 cases: see [`Agreement::apart_by_chance`].
pub fn agreement(one: &Summary, other: &Summary, noise: &VariantId) -> Agreement {
    let mut found = Agreement { cells: 0, apart: Vec::new(), noise_cells: 0, noise_excludes_one: Vec::new() };
    let is_result = |cell: &&Cell| {
        let is_set = (cell.metric == &THROUGHPUT && cell.phase == "open")
            || (cell.metric == &SUSTAINED_RATE && cell.phase == "at_least");
        !is_set && cell.metric != &MEMORY_TRACE
    };
    for cell in one.cells.iter().filter(is_result) {
        let Some(again) = other.cell(&cell.subject, cell.metric, &cell.phase) else { continue };
        let (Some(a), Some(b)) = (cell.value.interval, again.value.interval) else { continue };
        found.cells += 1;
        if !overlap(a, b) {
            found.apart.push((cell.clone(), again.clone()));
        }
    }
    let is_noise = |cell: &&Cell| cell.subject.variant_id() == *noise;
    for cell in one.cells.iter().chain(&other.cells).filter(is_result).filter(is_noise) {
        let Some(interval) = cell.ratio.and_then(|ratio| ratio.interval) else { continue };
        found.noise_cells += 1;
        if !overlap(interval, Interval { low: 1.0, high: 1.0 }) {
            found.noise_excludes_one.push(cell.clone());
        }
    }
    found
}

/// Whether two intervals have a value in common.
pub(crate) fn overlap(a: Interval, b: Interval) -> bool {
    a.low <= b.high && b.low <= a.high
}

impl Agreement {
    /// How many cells chance alone sets apart at most, in 99 of 100 pairs of runs: of two 95 % intervals of one value, about
    /// 1 in 180 pairs, as for normal means of equal precision (Payton, Greenstone and Schenker, Journal of Insect Science 3:34,
    /// 2003). Cells of one load move together, so that where there are any they are often several.
    pub fn apart_by_chance(&self) -> usize {
        let z = standard().inverse_cdf(0.975);
        most(self.cells, 2.0 * standard().cdf(-z * SQRT_2))
    }

    /// How many of the reference's ratios to itself exclude 1 by chance alone at most, in 99 of 100 pairs of runs: that is what a
    /// 95 % interval does in 1 of 20 cases.
    pub fn excluding_by_chance(&self) -> usize {
        most(self.noise_cells, 0.05)
    }

    /// Whether chance alone explains all differences.
    pub fn is_chance(&self) -> bool {
        self.apart.len() <= self.apart_by_chance() && self.noise_excludes_one.len() <= self.excluding_by_chance()
    }
}

fn standard() -> Normal {
    Normal::standard()
}

/// How many of so many cases of this probability there are at most, with a probability of 99 %.
fn most(cases: usize, probability: f64) -> usize {
    let cases = u64::try_from(cases).unwrap_or(u64::MAX);
    // A probability is one.
    Binomial::new(probability, cases)
        .map_or(0, |binomial| usize::try_from(binomial.inverse_cdf(0.99)).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use tare_model::Sample;
    use tare_model::metrics::{MEMORY_PSS, STARTUP_COLD};

    use super::*;
    use crate::{Reference, summarise};

    fn reference() -> Reference {
        Reference::of_services(["auth"], &VariantId::new("native", "process"))
    }

    fn run(slow: f64, again: f64) -> Summary {
        let mut samples = Vec::new();
        for round in 1..=8 {
            let wobble = 1.0 + 0.01 * f64::from(round % 4);
            for (subject, metric, value) in [
                ("auth/native/process", &STARTUP_COLD, 2.0),
                ("auth/native/again", &STARTUP_COLD, 2.0 * again),
                ("auth/docker/debian", &STARTUP_COLD, 250.0 * slow),
                ("auth/docker/debian", &MEMORY_PSS, 3.0),
            ] {
                let (subject, phase) = (subject.parse().unwrap(), metric.headline.unwrap().into());
                samples.push(Sample { round, position: 1, subject, metric, phase, value: value * wobble });
            }
        }
        summarise(&samples, &reference())
    }

    #[test]
    fn equal_runs_agree_and_a_slow_subject_is_named() {
        let noise = VariantId::new("native", "again");
        let same = agreement(&run(1.0, 1.0), &run(1.0, 1.0), &noise);
        assert_eq!((same.cells, same.apart.len(), same.is_chance()), (4, 0, true));
        assert_eq!((same.noise_cells, same.noise_excludes_one.len()), (2, 0));
        let apart = agreement(&run(1.0, 1.0), &run(1.2, 1.1), &noise);
        let named: Vec<String> = apart.apart.iter().map(|(cell, _)| cell.subject.to_string()).collect();
        assert_eq!(named, ["auth/native/again", "auth/docker/debian"]);
        assert_eq!(apart.noise_excludes_one.len(), 1);
        assert!(!apart.is_chance(), "two of four");
    }

    #[test]
    fn nothing_in_common_says_nothing() {
        let empty = summarise(&[], &reference());
        let found = agreement(&run(1.0, 1.0), &empty, &VariantId::new("native", "none"));
        assert_eq!((found.cells, found.noise_cells, found.is_chance()), (0, 0, true));
    }

    /// Quantiles of the binomial distribution, worked out apart: of 200 cases of 0.557 %, 5 or more are rarer than 1 in 100,
    /// 4 or more are not; of 40 of 5 %, 7 or more are, 6 or more are not.
    #[test]
    fn chance_sets_few_cells_apart() {
        let of =
            |cells, noise_cells| Agreement { cells, apart: Vec::new(), noise_cells, noise_excludes_one: Vec::new() };
        let most =
            [of(0, 0), of(1, 1), of(200, 40)].map(|found| (found.apart_by_chance(), found.excluding_by_chance()));
        assert_eq!(most, [(0, 0), (0, 1), (4, 6)]);
    }
}
