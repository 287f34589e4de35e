//! A real comparison, and its files.

use std::collections::BTreeSet;

use tare_model::metrics::{
    CPU_PER_REQUEST, LATENCY, LOAD_ERRORS, MEMORY_CGROUP, MEMORY_ENGINE, MEMORY_PSS, SIZE, STARTUP_COLD, STARTUP_WARM,
    THROUGHPUT,
};
use tare_model::{Metric, Outcome, RunRecord, RunState, Sample, Subject, VariantId, Violation, read_summary};

use crate::program::{Run, Runs, alone, has_engine, stderr, tare};

const ROUND: [&str; 7] = ["compare", "--suite", "quick", "--rounds", "1", "--service", "orders"];

#[test]
fn a_round_of_everything_gives_every_cell_and_whole_files() {
    let _alone = alone();
    let engine = has_engine();
    // A control has to be named in this suite.
    let platforms = if engine { "native,wasmtime,wasmtime/direct,docker" } else { "native,wasmtime,wasmtime/direct" };
    let runs = Runs::new();
    let output = tare(&ROUND).args(["--platform", platforms, "--seed", "11"]).args(runs.args()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let run = runs.newest();
    assert_eq!(run.files(), ["claims.csv", "latencies.hlog", "run.json", "samples.csv", "summary.csv"]);
    let (record, samples) = (run.record(), run.samples());
    check_record(&record);
    check_isolation(&record, engine);
    for subject in &record.plan.subjects {
        check_cells(subject, &samples);
    }
    for subject in &record.plan.subjects {
        let starts = samples.iter().filter(|sample| sample.metric == &STARTUP_COLD && sample.subject == *subject);
        let (totals, parts): (Vec<&Sample>, Vec<&Sample>) = starts.partition(|sample| sample.phase == "total");
        let sum = |samples: &[&Sample]| samples.iter().map(|sample| sample.value).sum::<f64>();
        assert!((sum(&parts) - sum(&totals)).abs() < 1.0, "{subject}: the phases do not add up");
        assert_eq!(totals.len(), 1, "{subject}: further starts begin with the second round");
    }
    let positions: BTreeSet<u32> =
        samples.iter().filter(|sample| sample.round == 1).map(|sample| sample.position).collect();
    assert_eq!(positions, (1..=u32::try_from(record.plan.subjects.len()).unwrap()).collect());
    let summary = read_summary(std::fs::File::open(run.0.join("summary.csv")).unwrap()).unwrap();
    let reference = summary.iter().find(|row| row.platform == "native" && row.metric == "throughput").unwrap();
    assert!((reference.ratio.unwrap() - 1.0).abs() < f64::EPSILON);
    let claims = std::fs::read_to_string(run.0.join("claims.csv")).unwrap();
    let holds = |line: &str| line.starts_with("size-wasm,") && line.contains(",holds,usual: orders/wasmtime/jit");
    assert!(claims.lines().any(holds), "{claims}");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("\nClaims\n") && table.contains("size-wasm"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    check_report(&run, &table);
}

fn check_record(record: &RunRecord) {
    assert_eq!(record.state, RunState::Complete);
    assert_eq!(record.failed, []);
    assert_eq!(record.plan.seed, 11);
    assert!(record.calibration.generator_ceiling_rps.unwrap() > 1000.0);
    assert!(record.calibration.open_rate_rps["orders"] > 0.0);
    assert!(record.versions.contains_key("wasmtime") && record.versions.contains_key("rustc"));
    for subject in &record.subjects {
        assert!(!subject.settings.is_empty(), "{}", subject.subject);
        for artifact in &subject.artifacts {
            assert!(artifact.bytes > 10_000 && artifact.sha256.len() == 64, "{artifact:?}");
        }
    }
    let digest = |variant: &str| {
        let of = |subject: &&tare_model::SubjectRecord| subject.subject.variant_id().to_string() == variant;
        let artifacts = &record.subjects.iter().find(of).unwrap().artifacts;
        artifacts.iter().find(|artifact| artifact.kind == "component").unwrap().sha256.clone()
    };
    assert_eq!(digest("wasmtime/aot"), digest("wasmtime/jit"), "one component for all variants");
}

/// Whether the probes of isolation found what they must find on any machine: each violation once for each variant that can be
/// chosen, all that is claimed prevented, and a plain process that claims nothing.
fn check_isolation(record: &RunRecord, engine: bool) {
    let mut probed: Vec<&VariantId> = record.isolation.iter().map(|check| &check.variant).collect();
    probed.dedup();
    let ids: BTreeSet<VariantId> = record.plan.subjects.iter().map(Subject::variant_id).collect();
    let choosable = |id: &&VariantId| !["native/again", "wasmtime/direct"].contains(&id.to_string().as_str());
    assert_eq!(BTreeSet::from_iter(probed), ids.iter().filter(choosable).collect());
    for of in record.isolation.chunk_by(|a, b| a.variant == b.variant) {
        assert_eq!(of.iter().map(|check| check.violation).collect::<Vec<_>>(), Violation::ALL);
        let native = of[0].variant.platform == "native";
        for check in of {
            let expected: &[Outcome] =
                if check.claimed { &[Outcome::Held, Outcome::Void] } else { &[Outcome::Open, Outcome::Void] };
            assert!(expected.contains(&check.outcome) && !(native && check.claimed), "{check:?}");
        }
    }
    let of = |variant: &str, outcome: Outcome| {
        let is_it =
            |check: &&tare_model::IsolationCheck| check.variant.to_string() == variant && check.outcome == outcome;
        record.isolation.iter().filter(is_it).map(|check| check.violation).collect::<Vec<_>>()
    };
    // Anybody may do these on a machine.
    for violation in [Violation::ReadFile, Violation::SeeEnvironment, Violation::Connect, Violation::ExceedTasks] {
        assert!(of("native/process", Outcome::Open).contains(&violation), "{:?}", record.isolation);
        assert!(of("wasmtime/aot", Outcome::Held).contains(&violation), "{:?}", record.isolation);
        let on_host_network = if violation == Violation::Connect { Outcome::Open } else { Outcome::Held };
        assert!(!engine || of("docker/scratch", on_host_network).contains(&violation), "{:?}", record.isolation);
    }
}

/// Whether a subject has every value that it should have, and none that physics forbids.
fn check_cells(subject: &Subject, samples: &[Sample]) {
    let value = |metric: &'static Metric, phase: &str| {
        let of = |sample: &&Sample| sample.subject == *subject && sample.metric == metric && sample.phase == phase;
        samples.iter().find(of).map(|sample| sample.value)
    };
    let need = |metric: &'static Metric, phase: &str| {
        value(metric, phase).unwrap_or_else(|| panic!("{subject} has no {} {phase}", metric.name))
    };
    assert!(need(&SIZE, "compressed") < need(&SIZE, "artifact"));
    assert!(need(&SIZE, "total") >= need(&SIZE, "artifact") || subject.platform == "wasmtime");
    assert!(need(&STARTUP_COLD, "total") > need(&STARTUP_COLD, "first_answer"));
    assert!(need(&MEMORY_PSS, "peak") >= 10_000.0);
    for phase in ["idle", "after"] {
        assert!(need(&MEMORY_PSS, phase) > 10_000.0);
    }
    for phase in ["open", "closed"] {
        assert!(need(&THROUGHPUT, phase) > 1.0);
        assert!(need(&CPU_PER_REQUEST, phase) > 1_000.0);
        assert!(need(&LOAD_ERRORS, phase).abs() < f64::EPSILON);
        assert!(need(&LATENCY, &format!("{phase}_p50")) <= need(&LATENCY, &format!("{phase}_p90")));
        assert!(need(&LATENCY, &format!("{phase}_p90")) <= need(&LATENCY, &format!("{phase}_max")));
    }
    let container = subject.platform == "docker";
    assert_eq!(value(&MEMORY_CGROUP, "idle").is_some(), container);
    assert_eq!(value(&MEMORY_ENGINE, "idle").is_some(), container, "shim and proxy");
    let hosted = subject.platform == "wasmtime";
    assert_eq!(value(&STARTUP_WARM, "total").is_some(), hosted);
    assert_eq!(value(&MEMORY_ENGINE, "empty").is_some(), hosted, "the host before the component");
    if container {
        // Below this no engine has ever created a container: the clock would have begun too late.
        assert!(need(&STARTUP_COLD, "total") > 10e6);
    }
}

/// The report of the run's files is the table that the run ended with, and nothing is written beside them.
fn check_report(run: &Run, table: &str) {
    std::fs::remove_file(run.0.join("summary.csv")).unwrap();
    let files = run.files();
    let again = tare(&["report", run.0.to_str().unwrap()]).output().unwrap();
    assert_eq!(String::from_utf8(again.stdout).unwrap(), table);
    assert_eq!(run.files(), files);
}

#[test]
fn only_what_is_asked_for_is_measured() {
    let _alone = alone();
    let runs = Runs::new();
    let output =
        tare(&ROUND).args(["--platform", "native", "--only", "startup", "--json"]).args(runs.args()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let run = runs.newest();
    assert!(run.samples().iter().all(|sample| sample.metric == &STARTUP_COLD));
    assert_eq!(run.record().isolation, []);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["state"], "complete");
    assert!(json["summary"].as_array().unwrap().iter().all(|row| row["metric"] == "startup_cold"));
}
