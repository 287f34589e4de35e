//! From the samples of a run to its cells.

use std::collections::{BTreeMap, HashMap};

use tare_model::metrics::{STARTUP_COLD, STARTUP_WARM, SUSTAINED_RATE};
use tare_model::{METRICS, Metric, Phase, Sample, Subject};

use crate::paired::over;
use crate::{Cell, Estimate, Reference, Summary, effects, median};

/// Summarises the samples of a run.
///
/// Several samples of a cell in one round are first reduced to their median, so that every round counts once. A round
/// gives a ratio if the reference has a value in it that is not zero. A warm start is compared with the reference's
/// warm start, or with its cold start where it has no engine that could be warm (a plain process). Samples that are not
/// finite numbers are left out.
pub fn summarise(samples: &[Sample], reference: &Reference) -> Summary {
    let (mut keys, series) = by_cell(samples);
    let order = Order::of(samples);
    // Stable: the phases of a metric keep the order in which they appeared.
    keys.sort_by_key(|key| order.place(key));
    let cells = keys.iter().filter_map(|key| {
        Some(Cell {
            subject: key.subject.clone(),
            metric: Metric::by_name(key.metric)?,
            phase: key.phase.clone(),
            value: Estimate::of(&series[key].values().copied().collect::<Vec<_>>())?,
            ratio: Estimate::of(&ratios(key, reference, &series)),
        })
    });
    let mut summary = Summary { cells: cells.collect(), reference: reference.clone(), effects: effects(samples) };
    without_ratios_of_bounds(&mut summary);
    summary
}

/// Lower bounds have no ratio, neither over others nor as what others are over.
fn without_ratios_of_bounds(summary: &mut Summary) {
    let is_headline = |cell: &Cell| cell.metric.is_headline(&cell.phase);
    let bounds = summary.cells.iter().filter(|cell| is_headline(cell) && summary.is_lower_bound(cell));
    let bounds: Vec<Subject> = bounds.map(|cell| cell.subject.clone()).collect();
    for cell in summary.cells.iter_mut().filter(|cell| cell.metric == &SUSTAINED_RATE) {
        if !is_headline(cell)
            || bounds.contains(&cell.subject)
            || summary.reference.of(&cell.subject.service).is_some_and(|reference| bounds.contains(reference))
        {
            cell.ratio = None;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'a> {
    subject: &'a Subject,
    metric: &'static str,
    phase: &'a Phase,
}

/// The value of a cell in each round.
type Series = BTreeMap<u32, f64>;

/// The keys in the order in which they appear, and the series of each.
fn by_cell(samples: &[Sample]) -> (Vec<Key<'_>>, HashMap<Key<'_>, Series>) {
    let mut keys = Vec::new();
    let mut values: HashMap<Key, BTreeMap<u32, Vec<f64>>> = HashMap::new();
    for sample in samples.iter().filter(|sample| sample.value.is_finite()) {
        let key = Key { subject: &sample.subject, metric: sample.metric.name, phase: &sample.phase };
        let rounds = values.entry(key).or_insert_with(|| {
            keys.push(key);
            BTreeMap::new()
        });
        rounds.entry(sample.round).or_default().push(sample.value);
    }
    let reduced = |rounds: BTreeMap<u32, Vec<f64>>| {
        rounds.into_iter().filter_map(|(round, values)| Some((round, median(&values)?))).collect()
    };
    (keys, values.into_iter().map(|(key, rounds)| (key, reduced(rounds))).collect())
}

/// The cell's value over the reference's, for each round that has both.
fn ratios(key: &Key, reference: &Reference, series: &HashMap<Key, Series>) -> Vec<f64> {
    let Some(subject) = reference.of(&key.subject.service) else { return Vec::new() };
    let of = |metric| series.get(&Key { subject, metric, phase: key.phase });
    let base = of(key.metric).or_else(|| (key.metric == STARTUP_WARM.name).then(|| of(STARTUP_COLD.name)).flatten());
    base.map_or_else(Vec::new, |base| over(&series[key], base))
}

/// The order in which services and subjects first appear.
struct Order<'a> {
    services: Vec<&'a str>,
    subjects: Vec<&'a Subject>,
}

impl<'a> Order<'a> {
    fn of(samples: &'a [Sample]) -> Self {
        let (mut services, mut subjects) = (Vec::new(), Vec::new());
        for subject in samples.iter().map(|sample| &sample.subject) {
            if !services.contains(&subject.service.as_str()) {
                services.push(&subject.service);
            }
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        Self { services, subjects }
    }

    fn place(&self, key: &Key) -> (Option<usize>, Option<usize>, Option<usize>) {
        (
            self.services.iter().position(|service| *service == key.subject.service),
            self.subjects.iter().position(|subject| *subject == key.subject),
            METRICS.iter().position(|metric| metric.name == key.metric),
        )
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the values are chosen so that the results are exact")]
mod tests {
    use tare_model::metrics::{LOAD_ERRORS, MEMORY_CGROUP, MEMORY_PSS, SIZE, THROUGHPUT};
    use tare_model::{Interval, VariantId};

    use super::*;

    fn sample(round: u32, subject: &str, metric: &'static Metric, phase: &str, value: f64) -> Sample {
        Sample { round, position: 1, subject: subject.parse().unwrap(), metric, phase: phase.into(), value }
    }

    fn reference() -> Reference {
        Reference::of_services(["auth", "orders"], &VariantId::new("native", "musl"))
    }

    fn cold(subject: &str, values: &[f64]) -> Vec<Sample> {
        (1..).zip(values).map(|(round, value)| sample(round, subject, &STARTUP_COLD, "total", *value)).collect()
    }

    fn cell(summary: &Summary, subject: &str, metric: &Metric, phase: &str) -> Cell {
        summary.cell(&subject.parse().unwrap(), metric, phase).unwrap().clone()
    }

    #[test]
    fn ratios_are_paired_within_rounds() {
        // The machine is ten times slower in every second round: the medians drift, the ratio does not.
        let mut samples = cold("auth/native/musl", &[1.0, 10.0, 1.0, 10.0, 1.0, 10.0]);
        samples.extend(cold("auth/docker/scratch", &[50.0, 500.0, 50.0, 500.0, 50.0, 500.0]));
        let docker = cell(&summarise(&samples, &reference()), "auth/docker/scratch", &STARTUP_COLD, "total");
        assert_eq!(docker.value.median, 275.0);
        assert_eq!(docker.value.interval, Some(Interval { low: 50.0, high: 500.0 }));
        let ratio = docker.ratio.unwrap();
        assert_eq!((ratio.n, ratio.median), (6, 50.0));
        assert_eq!(ratio.interval, Some(Interval { low: 50.0, high: 50.0 }));
    }

    #[test]
    fn a_round_without_the_reference_gives_a_value_and_no_ratio() {
        let mut samples = cold("auth/native/musl", &[1.0, 2.0, 0.0]);
        samples.extend(cold("auth/docker/scratch", &[5.0, 8.0, 7.0, 6.0]));
        let docker = cell(&summarise(&samples, &reference()), "auth/docker/scratch", &STARTUP_COLD, "total");
        assert_eq!((docker.value.n, docker.value.median), (4, 6.5));
        let ratio = docker.ratio.unwrap();
        assert_eq!((ratio.n, ratio.median), (2, 4.5));
        assert_eq!((ratio.interval, ratio.range), (None, Interval { low: 4.0, high: 5.0 }));
    }

    #[test]
    fn no_ratio_where_the_reference_has_no_such_metric_or_is_zero_or_of_another_service() {
        let samples = [
            sample(1, "auth/native/musl", &LOAD_ERRORS, "closed", 0.0),
            sample(1, "auth/docker/scratch", &LOAD_ERRORS, "closed", 3.0),
            sample(1, "auth/docker/scratch", &MEMORY_CGROUP, "idle", 9.0),
            sample(1, "orders/native/musl", &MEMORY_CGROUP, "idle", 9.0),
        ];
        let summary = summarise(&samples, &reference());
        assert_eq!(cell(&summary, "auth/docker/scratch", &LOAD_ERRORS, "closed").ratio, None);
        assert_eq!(cell(&summary, "auth/docker/scratch", &MEMORY_CGROUP, "idle").ratio, None);
    }

    #[test]
    fn several_samples_of_a_round_count_once() {
        let subject = "auth/native/musl";
        let values = [(1, 4.0), (1, 6.0), (2, 10.0), (3, f64::NAN)];
        let samples = values.map(|(round, value)| sample(round, subject, &MEMORY_PSS, "idle", value));
        let found = cell(&summarise(&samples, &reference()), subject, &MEMORY_PSS, "idle");
        assert_eq!((found.value.n, found.value.median), (2, 7.5));
        assert_eq!(found.value.range, Interval { low: 5.0, high: 10.0 });
    }

    #[test]
    fn what_is_taken_once_per_run_has_a_ratio_and_no_interval() {
        let samples = [
            sample(0, "auth/native/musl", &SIZE, "artifact", 2e6),
            sample(0, "auth/wasmtime/aot", &SIZE, "artifact", 1e6),
        ];
        let wasm = cell(&summarise(&samples, &reference()), "auth/wasmtime/aot", &SIZE, "artifact");
        assert_eq!((wasm.value.n, wasm.value.interval), (1, None));
        assert_eq!(wasm.ratio.map(|ratio| (ratio.median, ratio.interval)), Some((0.5, None)));
    }

    #[test]
    fn a_median_of_lower_bounds_is_one_and_has_no_ratio() {
        let (native, docker) = ("auth/native/musl", "auth/docker/scratch");
        let mut samples = Vec::new();
        for round in 1..=4 {
            samples.push(sample(round, native, &SUSTAINED_RATE, "p99", 8.0));
            samples.push(sample(round, docker, &SUSTAINED_RATE, "p99", 4.0));
        }
        let of = |samples: &[Sample], subject| {
            let summary = summarise(samples, &reference());
            let cell = cell(&summary, subject, &SUSTAINED_RATE, "p99");
            (summary.is_lower_bound(&cell), cell.ratio.map(|ratio| ratio.median))
        };
        samples.push(sample(1, native, &SUSTAINED_RATE, "at_least", 8.0));
        assert_eq!((of(&samples, native), of(&samples, docker)), ((false, Some(1.0)), (false, Some(0.5))));
        samples.push(sample(2, native, &SUSTAINED_RATE, "at_least", 8.0));
        assert_eq!((of(&samples, native), of(&samples, docker)), ((true, None), (false, None)));
    }

    #[test]
    fn a_warm_start_is_compared_with_the_cold_start_of_a_reference_without_an_engine() {
        let mut samples = cold("auth/native/musl", &[2.0]);
        samples.push(sample(1, "auth/wasmtime/aot", &STARTUP_WARM, "total", 1.0));
        let warm = |samples: &[Sample], reference: &Reference| {
            cell(&summarise(samples, reference), "auth/wasmtime/aot", &STARTUP_WARM, "total").ratio.unwrap().median
        };
        assert_eq!(warm(&samples, &reference()), 0.5);
        samples.push(sample(1, "auth/wasmtime/jit", &STARTUP_WARM, "total", 4.0));
        samples.extend(cold("auth/wasmtime/jit", &[8.0]));
        assert_eq!(
            warm(&samples, &Reference::of_services(["auth"], &VariantId::new("wasmtime", "jit"))),
            0.25,
            "its own warm start comes first"
        );
    }

    #[test]
    fn rows_are_ordered_and_written_as_documented() {
        let samples = [
            sample(1, "orders/docker/scratch", &THROUGHPUT, "closed", 40.0),
            sample(1, "auth/native/musl", &STARTUP_COLD, "total", 3.0),
            sample(1, "auth/native/musl", &STARTUP_COLD, "spawn", 1.0),
            sample(1, "orders/native/musl", &THROUGHPUT, "closed", 80.0),
            sample(0, "auth/native/musl", &SIZE, "artifact", 2.0),
            sample(1, "orders/docker/scratch", &STARTUP_COLD, "total", 9.0),
        ];
        let mut bytes = Vec::new();
        tare_model::write_summary(&mut bytes, &summarise(&samples, &reference()).rows()).unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap(), @r"
        service,implementation,platform,variant,metric,phase,at,unit,n,median,ci_low,ci_high,ratio,ratio_ci_low,ratio_ci_high
        orders,rust,docker,scratch,startup_cold,total,,ns,1,9.0,,,,,
        orders,rust,docker,scratch,throughput,closed,,requests/s,1,40.0,,,0.5,,
        orders,rust,native,musl,throughput,closed,,requests/s,1,80.0,,,1.0,,
        auth,rust,native,musl,size,artifact,,bytes,1,2.0,,,1.0,,
        auth,rust,native,musl,startup_cold,total,,ns,1,3.0,,,1.0,,
        auth,rust,native,musl,startup_cold,spawn,,ns,1,1.0,,,1.0,,
        ");
    }
}
