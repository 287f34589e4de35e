//! Percentiles of latency, each from as many requests as it takes.

use std::collections::HashMap;

use tare_load::Histogram;
use tare_model::Subject;
use tare_model::metrics::LATENCY;

use crate::session::measure::Reading;

/// The percentiles, with the requests that each takes: so many that ten are expected beyond it. What is beyond is a matter of
/// chance: ten have a 95 % interval of 4.8 to 18.4 (Garwood 1936), so that the 99th percentile of 1,000 requests is somewhere
/// between the 98.2th and the 99.5th.
const PERCENTILES: [(&str, f64, u64); 4] =
    [("p50", 0.5, 20), ("p90", 0.9, 100), ("p99", 0.99, 1_000), ("p999", 0.999, 10_000)];

/// The latencies of rounds that had too few for a percentile: they wait for those of the next ones.
#[derive(Debug, Default)]
pub struct Percentiles {
    waiting: HashMap<(Subject, String, &'static str), Histogram<u64>>,
}

impl Percentiles {
    /// What is known of the latencies in a loop after a round, in nanoseconds: each percentile from the requests of this round and
    /// of those before that had too few, where they are enough. Subjects that are asked equally much get it in the same rounds,
    /// so that they can be compared.
    pub fn after(&mut self, round: u32, subject: &Subject, name: &str, latencies: &Histogram<u64>) -> Vec<Reading> {
        let mut readings = Vec::new();
        if latencies.is_empty() {
            return readings;
        }
        for (percentile, share, needed) in PERCENTILES {
            let key = (subject.clone(), name.to_owned(), percentile);
            let mut all = latencies.clone();
            if let Some(before) = self.waiting.remove(&key) {
                // All of a run are made alike.
                let _ = all.add(before);
            }
            let together = needed.div_ceil(latencies.len());
            if all.len() >= needed && u64::from(round).is_multiple_of(together) {
                let value = all.value_at_quantile(share);
                readings.push((&LATENCY, format!("{name}_{percentile}").into(), value as f64));
            } else {
                self.waiting.insert(key, all);
            }
        }
        readings.push((&LATENCY, format!("{name}_max").into(), latencies.max() as f64));
        readings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Latencies from 1 to this many microseconds, one of each.
    fn latencies(count: u64) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_max(10_000_000_000, 3).unwrap();
        (1..=count).for_each(|micros| histogram.record(micros * 1000).unwrap());
        histogram
    }

    /// What is known after each round of a loop with so many requests.
    fn known(percentiles: &mut Percentiles, subject: &str, counts: &[(u32, u64)]) -> Vec<Vec<String>> {
        let subject: Subject = subject.parse().unwrap();
        let phases = |readings: Vec<Reading>| readings.into_iter().map(|(_, phase, _)| phase.name).collect();
        counts
            .iter()
            .map(|(round, count)| phases(percentiles.after(*round, &subject, "open", &latencies(*count))))
            .collect()
    }

    #[test]
    fn a_percentile_takes_ten_requests_beyond_it_of_as_many_rounds_as_have_them() {
        let mut percentiles = Percentiles::default();
        let found =
            known(&mut percentiles, "a/native/process", &[(1, 400), (2, 400), (3, 400), (4, 400), (5, 1000), (6, 5)]);
        let usual = ["open_p50", "open_p90", "open_max"];
        assert_eq!(found[0], usual);
        assert_eq!(found[1], usual);
        assert_eq!(found[2], ["open_p50", "open_p90", "open_p99", "open_max"], "1,200 of three rounds");
        assert_eq!(found[3], usual);
        assert_eq!(found[4], ["open_p50", "open_p90", "open_p99", "open_max"], "1,400 with those that waited");
        assert_eq!(found[5], ["open_max"]);
        assert!(known(&mut percentiles, "b/native/process", &[(1, 0)])[0].is_empty());
    }

    #[test]
    fn those_of_several_rounds_are_of_all_their_requests() {
        let (mut percentiles, subject) = (Percentiles::default(), "a/native/process".parse().unwrap());
        let all = latencies(500);
        assert!(percentiles.after(1, &subject, "open", &all).iter().all(|(_, phase, _)| *phase != "open_p99"));
        let found = percentiles.after(2, &subject, "open", &all);
        let p99 = found.iter().find(|(_, phase, _)| *phase == "open_p99").unwrap().2;
        assert!((p99 - 495_000.0).abs() < 1000.0, "{p99}");
    }

    #[test]
    fn a_round_without_a_load_does_not_put_subjects_out_of_step() {
        let mut percentiles = Percentiles::default();
        let has = |found: Vec<Vec<String>>, rounds: &[u32]| -> Vec<u32> {
            let with =
                found.into_iter().zip(rounds).filter(|(phases, _)| phases.iter().any(|phase| phase == "open_p99"));
            with.map(|(_, round)| *round).collect()
        };
        let whole = [1, 2, 3, 4, 5, 6];
        let loads = whole.map(|round| (round, 600));
        assert_eq!(has(known(&mut percentiles, "a/native/process", &loads), &whole), [2, 4, 6]);
        let some = [1, 2, 4, 5, 6];
        let loads = some.map(|round| (round, 600));
        assert_eq!(has(known(&mut percentiles, "a/docker/debian", &loads), &some), [2, 6]);
    }
}
