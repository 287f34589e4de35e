//! What takes long and is not in the quick suite: the sweep of rates, and several instances beside each other.

use tare_model::metrics::{
    MEMORY_HIGH_WATER, MEMORY_INSTANCES, MEMORY_PSS, SUSTAINED_RATE, SWEEP_LATENCY, THROUGHPUT, WARM_UP,
};
use tare_model::{Metric, Phase, Sample};

use crate::program::{Runs, alone, has_engine, stderr, tare};

#[test]
fn rates_are_swept_and_instances_run_beside_each_other() {
    let _alone = alone();
    let mut platforms = vec!["native/process", "wasmtime/aot"];
    if has_engine() {
        platforms.push("docker/scratch");
    }
    let runs = Runs::new();
    let output = tare(&["compare", "--suite", "standard", "--rounds", "2", "--service", "orders", "--seed", "5"])
        .args(["--platform", &platforms.join(","), "--only", "memory,load,density"])
        .args(runs.args())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let run = runs.newest();
    let (record, samples) = (run.record(), run.samples());
    let rates = &record.calibration.sweep_rps["orders"];
    assert!(rates.len() > 2 && rates.is_sorted(), "{rates:?}");
    for setting in &platforms {
        let of = |metric: &'static Metric| -> Vec<&Sample> {
            let own =
                |sample: &&Sample| sample.subject.variant_id().to_string() == **setting && sample.metric == metric;
            samples.iter().filter(own).collect()
        };
        let found = |metric, phase: Phase| {
            let found = of(metric).into_iter().find(|sample| sample.phase == phase);
            found.unwrap_or_else(|| panic!("{setting} has no {metric:?} {phase}")).value
        };
        let value = |metric, phase: &str| found(metric, phase.into());
        let at = |name: &str| found(&SWEEP_LATENCY, Phase::at(name, rates[0]));
        assert!(at("p50") <= at("p99"));
        assert!(of(&SWEEP_LATENCY).iter().all(|sample| sample.round == 1));
        let [sustained, capacity] = [value(&SUSTAINED_RATE, "p99"), value(&THROUGHPUT, "closed")];
        // None is sustained where the machine is disturbed for longer than the objective; far beyond the capacity none is.
        assert!(sustained >= 0.0 && sustained < capacity * 2.0, "{setting}: {sustained} of {capacity}");
        assert!(value(&WARM_UP, "open") > 0.0 && value(&WARM_UP, "closed") > 0.0);
        // All pages of a process count in its resident set, those it shares with others only in part in the other.
        assert!(value(&MEMORY_HIGH_WATER, "rss") >= value(&MEMORY_PSS, "idle"));
        let [one, two, four] = [1.0, 2.0, 4.0].map(|count| found(&MEMORY_INSTANCES, Phase::at("total", count)));
        assert!(one < two && two < four, "{setting}: {one} {two} {four}");
        assert!(of(&MEMORY_INSTANCES).iter().all(|sample| sample.round == 2));
        let contained = setting.starts_with("docker");
        assert_eq!(of(&MEMORY_INSTANCES).iter().any(|sample| sample.phase == Phase::at("cgroup", 4.0)), contained);
    }
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("99th percentile in ms at so many thousand requests/s") && table.contains("one more"),
        "{table}"
    );
    let summary = std::fs::read_to_string(run.0.join("summary.csv")).unwrap();
    assert!(summary.contains("orders,rust,wasmtime,aot,memory_per_instance,total,,bytes,1,"), "{summary}");
}
