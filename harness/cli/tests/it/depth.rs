//! What takes long and is not in the quick suite: the ladder of rates, and several instances beside each other.

use tare_model::metrics::{
    LADDER_LATENCY, MEMORY_HIGH_WATER, MEMORY_INSTANCES, MEMORY_PSS, SUSTAINED_RATE, THROUGHPUT, WARM_UP,
};
use tare_model::{Metric, Sample};

use crate::program::{Runs, alone, has_engine, stderr, tare};

#[test]
fn the_ladder_is_climbed_and_instances_run_beside_each_other() {
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
    let rates = &record.calibration.ladder_rps["orders"];
    assert!(rates.len() > 2 && rates.is_sorted(), "{rates:?}");
    for setting in &platforms {
        let of = |metric: &'static Metric| -> Vec<&Sample> {
            let own = |sample: &&Sample| sample.subject.setting() == **setting && sample.metric == metric;
            samples.iter().filter(own).collect()
        };
        let value = |metric, phase: &str| {
            let found = of(metric).into_iter().find(|sample| sample.phase == phase);
            found.unwrap_or_else(|| panic!("{setting} has no {metric:?} {phase}")).value
        };
        assert!(
            value(&LADDER_LATENCY, &format!("p50@{}", rates[0]))
                <= value(&LADDER_LATENCY, &format!("p99@{}", rates[0]))
        );
        assert!(of(&LADDER_LATENCY).iter().all(|sample| sample.round == 1));
        let [sustained, capacity] = [value(&SUSTAINED_RATE, "p99"), value(&THROUGHPUT, "closed")];
        // None is sustained where the machine is disturbed for longer than the objective; far beyond the capacity none is.
        assert!(sustained >= 0.0 && sustained < capacity * 2.0, "{setting}: {sustained} of {capacity}");
        assert!(value(&WARM_UP, "open") > 0.0 && value(&WARM_UP, "closed") > 0.0);
        // All pages of a process count in its resident set, those it shares with others only in part in the other.
        assert!(value(&MEMORY_HIGH_WATER, "rss") >= value(&MEMORY_PSS, "idle"));
        let [one, two, four] = [1, 2, 4].map(|count| value(&MEMORY_INSTANCES, &format!("total@{count}")));
        assert!(one < two && two < four, "{setting}: {one} {two} {four}");
        assert!(of(&MEMORY_INSTANCES).iter().all(|sample| sample.round == 2));
        let contained = setting.starts_with("docker");
        assert_eq!(of(&MEMORY_INSTANCES).iter().any(|sample| sample.phase == "cgroup@4"), contained);
    }
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("99th percentile in ms at so many thousand requests/s") && table.contains("one more"),
        "{table}"
    );
    let summary = std::fs::read_to_string(run.0.join("summary.csv")).unwrap();
    assert!(summary.contains("orders,wasmtime,aot,memory_per_instance,total,bytes,1,"), "{summary}");
}
