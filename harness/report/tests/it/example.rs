//! Records and samples made by hand: figures of the order that real ones have.

use std::collections::BTreeMap;

use tare_model::metrics::{
    CPU_PER_REQUEST, LATENCY, LOAD_ERRORS, MEMORY_CGROUP, MEMORY_ENGINE, MEMORY_PSS, SIZE, STARTUP_COLD, STARTUP_WARM,
    THROUGHPUT,
};
use tare_model::{
    Arrivals, Calibration, FailedCell, Group, Host, LoadPlan, Metric, Phase, Plan, RunRecord, RunState, SCHEMA_VERSION,
    Sample, Subject, SweepPlan, VariantId, metric_records,
};
use tare_report::Content;
use tare_stats::{Reference, Summary};

use crate::platforms::platforms;

/// The record of a complete run over these subjects, ten rounds of which three with load.
pub(crate) fn record(subjects: &[&str]) -> RunRecord {
    let subjects: Vec<Subject> = subjects.iter().map(|subject| subject.parse().unwrap()).collect();
    let is_reference = |subject: &&Subject| subject.variant_id() == reference();
    let of_service = |subject: &Subject| (subject.service.clone(), subject.clone());
    RunRecord {
        schema_version: SCHEMA_VERSION,
        run: "20261122-182125".into(),
        command: ["tare", "compare", "--suite", "standard"].map(String::from).into(),
        started: "2026-11-22T18:21:25Z".into(),
        state: RunState::Complete,
        host: Host {
            os: "Debian GNU/Linux 12".into(),
            kernel: "6.1.0".into(),
            arch: "x86_64".into(),
            cpu: "Example CPU 3 GHz".into(),
            cpus: 2,
            memory_bytes: 25_200_000_000,
            load_average: 0.07,
            cgroup: "v1".into(),
            conditions: BTreeMap::new(),
        },
        versions: [("docker", "20.10.24"), ("rustc", "1.95.0"), ("wasmtime", "48.0.8")]
            .map(|(name, version)| (name.to_string(), version.to_string()))
            .into(),
        git_commit: Some("0123abc".into()),
        plan: Plan {
            suite: "standard".into(),
            seed: 42,
            rounds: 10,
            precision: 0.05,
            time_limit_s: 720.0,
            only: Group::ALL.into(),
            reference: subjects.iter().filter(is_reference).map(of_service).collect(),
            subjects,
            noise: VariantId::new("native", "again"),
            instances: vec![1, 2],
            in_depth: Vec::new(),
            rotation: 3,
            settle_s: 0.05,
            starts_s: 0.25,
            load: LoadPlan {
                connections: 32,
                warmup_s: 1.0,
                warmup_windows: 10,
                warmup_steady: 0.1,
                open_s: 5.0,
                closed_s: 3.0,
                capacity_s: 3.0,
                sweep_s: 0.0,
                sweep: sweep_plan(),
                objective_ns: BTreeMap::new(),
                open_share: 0.5,
                arrivals: Arrivals::Random,
                timeout_s: 5.0,
            },
        },
        subjects: Vec::new(),
        platforms: platforms(),
        metrics: metric_records(),
        converged: Vec::new(),
        isolation: Vec::new(),
        calibration: Calibration {
            generator_cpus: vec![0],
            generator_polls: true,
            subject_cpus: vec![1],
            generator_ceiling_rps: Some(61_234.0),
            capacity_rps: BTreeMap::new(),
            sweep_rps: BTreeMap::new(),
            open_rate_rps: [("orders".to_string(), 4_000.0)].into(),
            steal_share: Some(0.0),
        },
        failed: Vec::new(),
        unavailable: Vec::new(),
        warnings: Vec::new(),
    }
}

/// The variant that the others of a service are compared with.
pub(crate) fn reference() -> VariantId {
    VariantId::new("native", "process")
}

/// What a record says that ratios are over.
pub(crate) fn reference_of(record: &RunRecord) -> Reference {
    Reference::new(record.plan.reference.clone())
}

/// A sweep in which a rate is tried once, for as long as the plan says.
fn sweep_plan() -> SweepPlan {
    SweepPlan { requests: 0.0, objectives: 0.0, longest_s: 0.0, tries: 1, late: 0.0, far_below: 0.0, of_ceiling: 0.0 }
}

/// A failed cell.
pub(crate) fn failed(subject: &str, group: Option<Group>, round: Option<u32>, reason: &str) -> FailedCell {
    FailedCell { subject: subject.parse().unwrap(), group, round, reason: reason.into() }
}

/// The samples of a subject, by metric and phase.
pub(crate) struct Made {
    subject: Subject,
    samples: Vec<Sample>,
}

impl Made {
    pub(crate) fn by(subject: &str) -> Self {
        Self::of(subject.parse().unwrap())
    }

    pub(crate) fn of(subject: Subject) -> Self {
        Self { subject, samples: Vec::new() }
    }

    /// One value per run.
    pub(crate) fn once(self, metric: &'static Metric, phase: &str, value: f64) -> Self {
        self.add(0, metric, phase, value)
    }

    /// A value in each of so many rounds, which differ by up to a few percent in a fixed way.
    pub(crate) fn rounds(mut self, rounds: u32, metric: &'static Metric, phase: &str, value: f64) -> Self {
        let seed = self.subject.platform.len() + self.subject.variant.len() + phase.len();
        for round in 1..=rounds {
            let step = (u64::from(round) * 7 + seed as u64 * 5) % 11;
            self = self.add(round, metric, phase, value * (1.0 + (step as f64 - 5.0) / 200.0));
        }
        self
    }

    pub(crate) fn add(mut self, round: u32, metric: &'static Metric, phase: impl Into<Phase>, value: f64) -> Self {
        let subject = self.subject.clone();
        self.samples.push(Sample { round, position: 1, subject, metric, phase: phase.into(), value });
        self
    }

    pub(crate) fn sizes(self, [shipped, compressed, needed]: [f64; 3]) -> Self {
        self.once(&SIZE, "artifact", shipped).once(&SIZE, "compressed", compressed).once(&SIZE, "total", needed)
    }

    /// Ten rounds of a cold start by its phases in milliseconds.
    pub(crate) fn cold(mut self, phases: &[(&str, f64)]) -> Self {
        let total: f64 = phases.iter().map(|(_, value)| value).sum();
        self = self.rounds(10, &STARTUP_COLD, "total", total * 1e6);
        phases.iter().fold(self, |made, (phase, value)| made.rounds(10, &STARTUP_COLD, phase, value * 1e6))
    }

    pub(crate) fn warm(self, total_ms: f64) -> Self {
        self.rounds(10, &STARTUP_WARM, "total", total_ms * 1e6)
    }

    /// Ten rounds of memory in megabytes.
    pub(crate) fn memory(self, idle: f64, peak: f64) -> Self {
        self.rounds(10, &MEMORY_PSS, "idle", idle * 1e6).rounds(3, &MEMORY_PSS, "peak", peak * 1e6)
    }

    /// What the engine has in megabytes, and the cgroup.
    pub(crate) fn engine(self, phase: &str, engine: f64, cgroup: Option<f64>) -> Self {
        let made = self.rounds(10, &MEMORY_ENGINE, phase, engine * 1e6);
        cgroup.into_iter().fold(made, |made, cgroup| made.rounds(10, &MEMORY_CGROUP, "idle", cgroup * 1e6))
    }

    /// Three rounds of load: closed-loop requests/s, CPU per request, open-loop median and 99th percentile in µs.
    pub(crate) fn load(self, [rate, cpu, p50, p99]: [f64; 4]) -> Self {
        self.rounds(3, &THROUGHPUT, "closed", rate)
            .rounds(3, &CPU_PER_REQUEST, "open", cpu * 1e3)
            .rounds(3, &LATENCY, "open_p50", p50 * 1e3)
            .rounds(3, &LATENCY, "open_p99", p99 * 1e3)
    }

    /// Three rounds of what tells whether the load can be trusted: the open loop's rate and the errors of a round.
    pub(crate) fn trust(self, open_rate: f64, errors: f64) -> Self {
        self.rounds(3, &THROUGHPUT, "open", open_rate)
            .rounds(3, &LOAD_ERRORS, "closed", 0.0)
            .rounds(2, &LOAD_ERRORS, "open", 0.0)
            .add(3, &LOAD_ERRORS, "open", errors)
    }

    pub(crate) fn samples(self) -> Vec<Sample> {
        self.samples
    }
}

const SUBJECTS: &[&str] = &[
    "orders/native/process",
    "orders/wasmtime/aot",
    "orders/wasmtime/jit",
    "orders/wasmtime/reuse",
    "orders/docker/scratch",
    "orders/docker/debian",
    "orders/docker/wasm",
];

/// Everything measured, with the usual troubles: a cell that failed in one round, a subject that never ran, one that
/// cannot keep up, one near the generator's ceiling.
pub(crate) fn full() -> (RunRecord, Vec<Sample>) {
    let mut record = record(SUBJECTS);
    record.failed = vec![
        failed(
            "orders/wasmtime/jit",
            Some(Group::Load),
            Some(2),
            "step `create` was answered 500 instead of 201\n  \
             expected {\"status\":\"created\"}\n  found    {\"title\":\"store\"}",
        ),
        failed(
            "orders/docker/wasm",
            None,
            None,
            "the image was not built: no space left on device; free some (docker system df)",
        ),
    ];
    record.warnings = vec!["the machine's load average was 1.9 when round 4 began".into()];
    let listen = |rest: &[(&'static str, f64)]| [rest, &[("listen", 0.11), ("first_answer", 0.42)]].concat();
    let samples = [
        Made::by("orders/native/process")
            .sizes([1.92e6, 0.81e6, 1.92e6])
            .cold(&listen(&[("spawn", 0.41)]))
            .memory(1.21, 4.32)
            .load([52_345.0, 18.2, 61.0, 402.0])
            .trust(3_999.0, 0.0),
        Made::by("orders/wasmtime/aot")
            .sizes([0.361e6, 0.124e6, 8.61e6])
            .cold(&listen(&[("spawn", 0.92), ("engine", 0.63), ("load", 1.21), ("link", 0.32)]))
            .warm(1.84)
            .memory(8.43, 14.2)
            .engine("empty", 6.22, None)
            .load([24_120.0, 40.1, 88.0, 911.0])
            .trust(3_998.0, 0.0),
        Made::by("orders/wasmtime/jit")
            .sizes([0.361e6, 0.124e6, 22.4e6])
            .cold(&listen(&[("spawn", 1.31), ("engine", 0.82), ("compile", 93.4), ("link", 0.32)]))
            .warm(92.1)
            .memory(31.1, 38.9)
            .engine("empty", 12.6, None)
            .load([23_870.0, 40.6, 90.0, 934.0])
            .trust(3_997.0, 0.0),
        Made::by("orders/wasmtime/reuse").sizes([0.361e6, 0.124e6, 8.61e6]).load([38_760.0, 24.9, 70.0, 512.0]),
        Made::by("orders/docker/scratch")
            .sizes([1.92e6, 0.81e6, 1.92e6])
            .cold(&[("create", 31.2), ("start", 51.3), ("ready", 1.12)])
            .memory(1.23, 4.41)
            .engine("idle", 2.47, Some(2.31))
            .load([51_230.0, 18.4, 62.0, 411.0])
            .trust(3_999.0, 0.0),
        Made::by("orders/docker/debian")
            .sizes([75.9e6, 29.1e6, 75.9e6])
            .cold(&[("create", 33.4), ("start", 174.0), ("ready", 3.31)])
            .memory(1.46, 4.71)
            .engine("idle", 3.24, Some(3.02))
            .load([7_820.0, 118.0, 212.0, 48_300.0])
            .trust(3_410.0, 17.0),
    ];
    (record, samples.into_iter().flat_map(Made::samples).collect())
}

/// A run as it is shown where nothing else is said.
pub(crate) fn content<'a>(record: &'a RunRecord, summary: &'a Summary, samples: &'a [Sample]) -> Content<'a> {
    Content { record, summary, samples, judged: &[], against: None }
}
