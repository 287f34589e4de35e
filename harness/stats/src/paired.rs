//! One subject over another, round by round.

use std::collections::BTreeMap;
use std::fmt;

use tare_model::{DEFAULT_IMPLEMENTATION, Metric, Sample, Subject, VariantId};

use crate::{Estimate, median};

/// A service in one implementation: the same requests and the same source, whatever runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload<'a> {
    /// The service.
    pub service: &'a str,
    /// The implementation.
    pub implementation: &'a str,
}

impl Workload<'_> {
    /// It in a variant.
    pub fn subject(&self, id: &VariantId) -> Subject {
        id.of(self.service, self.implementation)
    }
}

/// `orders`, or `orders:go` for an implementation that is not the default.
impl fmt::Display for Workload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.service)?;
        if self.implementation == DEFAULT_IMPLEMENTATION { Ok(()) } else { write!(f, ":{}", self.implementation) }
    }
}

/// The workloads of samples, in the order in which they first appear.
pub fn workloads(samples: &[Sample]) -> Vec<Workload<'_>> {
    let mut workloads = Vec::new();
    for Subject { service, implementation, .. } in samples.iter().map(|sample| &sample.subject) {
        let workload = Workload { service, implementation };
        if !workloads.contains(&workload) {
            workloads.push(workload);
        }
    }
    workloads
}

/// The value of each round of a subject; several of one round are reduced to their median.
pub fn by_round(samples: &[Sample], subject: &Subject, metric: &Metric, phase: &str) -> BTreeMap<u32, f64> {
    let is_it = |sample: &&Sample| {
        sample.metric == metric && sample.phase == phase && sample.subject == *subject && sample.value.is_finite()
    };
    let mut rounds: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for sample in samples.iter().filter(is_it) {
        rounds.entry(sample.round).or_default().push(sample.value);
    }
    rounds.into_iter().filter_map(|(round, values)| Some((round, median(&values)?))).collect()
}

/// The values of the one over those of the other in the same round; rounds that only one has, and those in which the other
/// is zero, are left out.
pub fn over(values: &BTreeMap<u32, f64>, base: &BTreeMap<u32, f64>) -> Vec<f64> {
    let pairs = values.iter().filter_map(|(round, value)| Some((value, base.get(round)?)));
    pairs.filter(|(_, base)| **base > 0.0).map(|(value, base)| value / base).collect()
}

/// The sum of metrics, each in a phase, of a subject in each round. The first must be there; of the others one that the
/// subject has in no round is nothing that it has (a plain process has no engine beside it), but a round that lacks one of
/// another round was not measured in full and is left out: its sum would be too small.
pub fn sums(samples: &[Sample], subject: &Subject, metrics: &[(&Metric, &str)]) -> BTreeMap<u32, f64> {
    let Some((first, others)) = metrics.split_first() else { return BTreeMap::new() };
    let mut sums = by_round(samples, subject, first.0, first.1);
    for (metric, phase) in others {
        let part = by_round(samples, subject, metric, phase);
        if !part.is_empty() {
            sums.retain(|round, _| part.contains_key(round));
            for (round, sum) in &mut sums {
                *sum += part[round];
            }
        }
    }
    sums
}

/// The ratio between two subjects of such a sum, paired within rounds; `None` where no round has both.
pub fn paired_sums(
    samples: &[Sample],
    subject: &Subject,
    base: &Subject,
    metrics: &[(&Metric, &str)],
) -> Option<Estimate> {
    Estimate::of(&over(&sums(samples, subject, metrics), &sums(samples, base, metrics)))
}

#[cfg(test)]
mod tests {
    use tare_model::metrics::{MEMORY_ENGINE, MEMORY_PSS};

    use super::*;

    #[test]
    fn a_round_that_lacks_a_part_of_the_sum_is_left_out() {
        let sample = |round, metric: &'static Metric, value| Sample {
            round,
            position: 1,
            subject: "auth/docker/debian".parse().unwrap(),
            metric,
            phase: "idle".into(),
            value,
        };
        let mut samples = vec![sample(1, &MEMORY_PSS, 3.0), sample(2, &MEMORY_PSS, 4.0)];
        let of =
            |samples: &[Sample]| sums(samples, &samples[0].subject, &[(&MEMORY_PSS, "idle"), (&MEMORY_ENGINE, "idle")]);
        assert_eq!(of(&samples), [(1, 3.0), (2, 4.0)].into(), "it has no engine beside it");
        samples.push(sample(2, &MEMORY_ENGINE, 15.0));
        assert_eq!(of(&samples), [(2, 19.0)].into(), "it has, but in one round it was not read");
    }
}
