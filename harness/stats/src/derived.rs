//! Values that are computed from samples of one round before anything is summarised.

use tare_model::Sample;
use tare_model::metrics::{MEMORY_INSTANCES, MEMORY_PER_INSTANCE};

/// The memory of one part over the number of instances, and the first sample of it.
type Line<'a> = (&'a Sample, &'a str, Vec<(f64, f64)>);

/// The samples, followed by what is derived from them: for each subject, round and part of memory, what each further
/// instance takes.
pub fn with_derived(samples: &[Sample]) -> Vec<Sample> {
    let mut all = samples.to_vec();
    let mut series: Vec<Line<'_>> = Vec::new();
    for sample in samples.iter().filter(|sample| sample.metric == &MEMORY_INSTANCES) {
        let Some(count) = sample.phase.at else { continue };
        let part = sample.phase.name.as_str();
        let of = |first: &Sample| first.subject == sample.subject && first.round == sample.round;
        match series.iter_mut().rev().find(|(first, known, _)| *known == part && of(first)) {
            Some((_, _, points)) => points.push((count, sample.value)),
            None => series.push((sample, part, vec![(count, sample.value)])),
        }
    }
    let derived = series.into_iter().filter_map(|(first, part, points)| {
        let value = slope(&points)?;
        Some(Sample { metric: &MEMORY_PER_INSTANCE, phase: part.into(), value, ..first.clone() })
    });
    all.extend(derived);
    all
}

/// The slope of the line through points with the least sum of squared vertical distances; `None` where they do not differ
/// in their first coordinate.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let (mean_x, mean_y) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let shared: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    (spread > 0.0).then(|| shared / spread)
}

#[cfg(test)]
mod tests {
    use tare_model::Phase;

    use super::*;

    /// The first of Anscombe's four data sets, whose line is y = 3.00 + 0.500 x: "Graphs in Statistical Analysis", The
    /// American Statistician 27 (1973).
    #[test]
    fn the_slope_is_that_of_least_squares() {
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let points: Vec<_> = x.into_iter().zip(y).collect();
        assert!((slope(&points).unwrap() - 0.500).abs() < 0.000_5);
        assert_eq!(slope(&[(1.0, 2.0)]), None);
        assert_eq!(slope(&[]), None);
    }

    #[test]
    fn each_round_and_part_has_a_slope_of_its_own() {
        let sample = |round, phase: &str, count, value| Sample {
            round,
            position: 3,
            subject: "auth/docker/scratch".parse().unwrap(),
            metric: &MEMORY_INSTANCES,
            phase: Phase::at(phase, count),
            value,
        };
        let samples = [
            sample(2, "total", 1.0, 10.0),
            sample(2, "engine", 1.0, 4.0),
            sample(2, "total", 2.0, 13.0),
            sample(2, "engine", 2.0, 5.0),
            sample(2, "total", 3.0, 16.0),
            sample(4, "total", 1.0, 10.0),
            sample(4, "total", 2.0, 12.0),
        ];
        let all = with_derived(&samples);
        assert_eq!(all[..7], samples);
        let derived: Vec<_> =
            all[7..].iter().map(|s| (s.metric.name, s.round, s.phase.name.as_str(), s.value)).collect();
        let name = "memory_per_instance";
        assert_eq!(derived, [(name, 2, "total", 3.0), (name, 2, "engine", 1.0), (name, 4, "total", 2.0)]);
    }
}
