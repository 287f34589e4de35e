//! Records and samples made by hand: figures of the order that real ones have.

use std::collections::BTreeMap;

use tare_model::metrics::{
    CPU_PER_REQUEST, LATENCY, LOAD_ERRORS, MEMORY_CGROUP, MEMORY_ENGINE, MEMORY_PSS, SIZE, STARTUP_COLD, STARTUP_WARM,
    THROUGHPUT,
};
use tare_model::{
    Calibration, FailedCell, Group, Host, LoadPlan, Metric, Plan, RunRecord, RunState, SCHEMA_VERSION, Sample, Subject,
};

/// The record of a complete run over these subjects, ten rounds of which three with load.
pub(crate) fn record(subjects: &[&str]) -> RunRecord {
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
            subjects: subjects.iter().map(|subject| subject.parse().unwrap()).collect(),
            reference: "native/musl".into(),
            noise: "native/again".into(),
            instances: vec![1, 2],
            load: LoadPlan {
                connections: 32,
                warmup_s: 1.0,
                open_s: 5.0,
                closed_s: 3.0,
                ladder_s: 0.0,
                objective_ns: BTreeMap::new(),
                open_share: 0.5,
                timeout_s: 5.0,
            },
        },
        subjects: Vec::new(),
        controls: BTreeMap::new(),
        settled: Vec::new(),
        isolation: Vec::new(),
        calibration: Calibration {
            generator_cpus: vec![0],
            subject_cpus: vec![1],
            generator_ceiling_rps: Some(61_234.0),
            capacity_rps: BTreeMap::new(),
            ladder_rps: BTreeMap::new(),
            open_rate_rps: [("orders".to_string(), 4_000.0)].into(),
            steal_share: Some(0.0),
        },
        failed: Vec::new(),
        warnings: Vec::new(),
    }
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
        Self { subject: subject.parse().unwrap(), samples: Vec::new() }
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

    pub(crate) fn add(mut self, round: u32, metric: &'static Metric, phase: &str, value: f64) -> Self {
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
            .rounds(3, &CPU_PER_REQUEST, "closed", cpu * 1e3)
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
