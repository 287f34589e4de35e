//! One subject over another, round by round.

use std::collections::BTreeMap;

use tare_model::{Metric, Sample, Subject};

use crate::{Estimate, median};

/// The services of samples, in the order in which they first appear.
pub fn services(samples: &[Sample]) -> Vec<&str> {
    let mut services: Vec<&str> = Vec::new();
    for sample in samples {
        if !services.contains(&sample.subject.service.as_str()) {
            services.push(&sample.subject.service);
        }
    }
    services
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

/// The ratio between two subjects of a sum of metrics and phases, paired within rounds; nothing where no round has both. The
/// first must be there, of the others a subject may lack what it has nothing of.
pub fn paired_sums(
    samples: &[Sample],
    subject: &Subject,
    base: &Subject,
    metrics: &[(&Metric, &str)],
) -> Option<Estimate> {
    let (first, others) = metrics.split_first()?;
    let of = |subject: &Subject| {
        let mut sums = by_round(samples, subject, first.0, first.1);
        for (metric, phase) in others {
            let more = by_round(samples, subject, metric, phase);
            for (round, sum) in &mut sums {
                *sum += more.get(round).unwrap_or(&0.0);
            }
        }
        sums
    };
    Estimate::of(&over(&of(subject), &of(base)))
}
