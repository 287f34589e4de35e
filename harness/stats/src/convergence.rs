//! When to stop measuring: the stopping rule of a run.

use std::collections::HashMap;

use tare_model::{Group, Sample, Subject};

use crate::{rounds_wanted, with_derived};

/// Judges, from the samples so far, how many more rounds a family of metrics of a subject wants until its headline figure is
/// precise enough.
///
/// It asks [`rounds_wanted`] of the headline's values, one of each round; what is derived from samples counts as they do.
#[derive(Debug)]
pub struct Convergence {
    /// How far the 95 % interval may reach from its median, as a share of it.
    precision: f64,
    samples: HashMap<Subject, Vec<Sample>>,
}

impl Convergence {
    /// A rule that is content when the 95 % interval lies within `precision` (0.05 is 5 %) of its median.
    pub fn new(precision: f64) -> Self {
        Self { precision, samples: HashMap::new() }
    }

    /// Takes a sample into account.
    pub fn observe(&mut self, sample: &Sample) {
        self.samples.entry(sample.subject.clone()).or_default().push(sample.clone());
    }

    /// How many more rounds the family's headline figure wants of a subject; 0 where it is precise, `None` where it has no
    /// value or the family no headline.
    pub fn rounds_wanted(&self, subject: &Subject, group: Group) -> Option<usize> {
        let metric = group.headline()?;
        let own = with_derived(self.samples.get(subject)?);
        let headline = own.iter().filter(|sample| sample.metric == metric && metric.is_headline(&sample.phase));
        let values: Vec<f64> = headline.map(|sample| sample.value).collect();
        (!values.is_empty()).then(|| rounds_wanted(&values, self.precision))
    }
}

#[cfg(test)]
mod tests {
    use tare_model::Phase;
    use tare_model::metrics::{MEMORY_INSTANCES, STARTUP_COLD};

    use super::*;

    #[test]
    fn steady_values_want_no_more_and_a_family_without_values_is_not_judged() {
        let subject: Subject = "auth/native/process".parse().unwrap();
        let mut rule = Convergence::new(0.05);
        for round in 1..=6 {
            let sample =
                |metric, phase, value| Sample { round, position: 1, subject: subject.clone(), metric, phase, value };
            rule.observe(&sample(&STARTUP_COLD, "total".into(), 2e6 + f64::from(round)));
            // A phase that is not the headline does not count.
            rule.observe(&sample(&STARTUP_COLD, "spawn".into(), 1e6 * f64::from(round)));
            for count in [1.0, 2.0] {
                let phase = Phase::at("total", count);
                rule.observe(&sample(&MEMORY_INSTANCES, phase, 1e6 * count * f64::from(round)));
            }
        }
        assert_eq!(rule.rounds_wanted(&subject, Group::Startup), Some(0));
        assert!(rule.rounds_wanted(&subject, Group::Density).unwrap() > 10, "the slope differs from round to round");
        assert_eq!(rule.rounds_wanted(&subject, Group::Load), None);
        assert_eq!(rule.rounds_wanted(&subject, Group::Size), None);
        assert_eq!(rule.rounds_wanted(&"auth/docker/debian".parse().unwrap(), Group::Startup), None);
    }
}
