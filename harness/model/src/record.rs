//! The record of a run: everything beside the samples that a reader needs to judge them, as `run.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::definitions::find;
use crate::{
    Group, IsolationCheck, MetricRecord, Outcome, PlatformRecord, Role, Side, Subject, VariantId, VariantRecord,
};

/// The version of `run.json` and the csv files beside it. It grows with every change that a reader of the
/// old form would misread; files of another version are refused by name.
pub const SCHEMA_VERSION: u32 = 3;

/// The record of a run: `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// See [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The run's name: its folder under results/ and the first column of `samples.csv`.
    pub run: String,
    /// The command line that repeats the run.
    pub command: Vec<String>,
    /// When it began, RFC 3339 in UTC.
    pub started: String,
    /// How it stands: rewritten as the run goes on.
    pub state: RunState,
    /// The machine.
    pub host: Host,
    /// Compilers, engines and runtimes with their versions, by name.
    pub versions: BTreeMap<String, String>,
    /// The commit of the harness and its services, with `-dirty` where files had been changed; absent outside a checkout.
    pub git_commit: Option<String>,
    /// What was to be done.
    pub plan: Plan,
    /// What was built and how it was set, a subject each.
    pub subjects: Vec<SubjectRecord>,
    /// The platforms and their variants as they were defined, in the order in which reports show them.
    pub platforms: Vec<PlatformRecord>,
    /// The metrics as they were defined, in the order in which reports show them.
    pub metrics: Vec<MetricRecord>,
    /// What became precise enough before the time was spent, in the order in which it did.
    pub converged: Vec<Converged>,
    /// What was tried from inside of each variant, and whether isolation prevented it.
    pub isolation: Vec<IsolationCheck>,
    /// What was found out about the machine and the generator before and during the run.
    pub calibration: Calibration,
    /// What could not be measured, or not be trusted.
    pub failed: Vec<FailedCell>,
    /// What cannot be measured of a subject as it is: no failure, but no figure either.
    pub unavailable: Vec<UnavailableCell>,
    /// Marks on the whole run: conditions under which it was taken that a reader must know.
    pub warnings: Vec<String>,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It runs, or was killed.
    Running,
    /// All rounds are done.
    Complete,
    /// The time allotted was spent before all rounds were done.
    TimeSpent,
    /// The user ended it.
    Interrupted,
    /// A later version wrote a state that this one does not know.
    Unknown,
}

/// The machine that a run was taken on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// The operating system's name and release.
    pub os: String,
    /// The kernel's release.
    pub kernel: String,
    /// The processor architecture.
    pub arch: String,
    /// The processor's model.
    pub cpu: String,
    /// Logical CPUs.
    pub cpus: usize,
    /// Total memory in bytes.
    pub memory_bytes: u64,
    /// Load average over one minute when the run began.
    pub load_average: f64,
    /// The cgroup hierarchy: `v1`, `v2`, `hybrid`, `none`.
    pub cgroup: String,
    /// What else of its state moves numbers, as far as it can be read when the run begins: frequency governor, turbo,
    /// temperature, whether it is a virtual machine.
    pub conditions: BTreeMap<String, String>,
}

/// What a run was to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The suite's name.
    pub suite: String,
    /// The seed of the order of subjects and of the sequence of requests.
    pub seed: u64,
    /// The most rounds.
    pub rounds: u32,
    /// What is measured again until it is precise: how far the 95 % interval of a headline figure may reach from its median,
    /// as a share of it.
    pub precision: f64,
    /// The time after which no further round is begun, in seconds.
    pub time_limit_s: f64,
    /// The families of metrics that are measured.
    pub only: Vec<Group>,
    /// The subjects.
    pub subjects: Vec<Subject>,
    /// What ratios are ratios to, by service.
    pub reference: BTreeMap<String, Subject>,
    /// The variant that is the reference measured once more in each round: its ratio is the noise of the run.
    pub noise: VariantId,
    /// The numbers of instances whose memory is measured beside each other.
    pub instances: Vec<u32>,
    /// The subjects of which what takes long is measured too: the sweep of rates, and several instances beside each other.
    pub in_depth: Vec<Subject>,
    /// Each of these is measured in one of so many rounds, in rotation.
    pub rotation: u32,
    /// Seconds that instances are left alone before their memory is read.
    pub settle_s: f64,
    /// Seconds that the further starts of a subject may take in a round, beside the one of the instance that is measured.
    pub starts_s: f64,
    /// The load.
    pub load: LoadPlan,
}

/// The load, identical for all subjects of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadPlan {
    /// Connections, all open at once.
    pub connections: usize,
    /// Seconds of a window of warm-up: a load of its own before each loop of which nothing is counted, repeated until it is
    /// steady.
    pub warmup_s: f64,
    /// The most windows of a warm-up; what is not steady after them is measured as it is, and marked.
    pub warmup_windows: u32,
    /// By what share of itself the median latency of a window may differ from that of the one before, for the load to be
    /// steady.
    pub warmup_steady: f64,
    /// Seconds in which requests of the open loop are due.
    pub open_s: f64,
    /// Seconds in which requests of the closed loop are sent; all of them are waited for.
    pub closed_s: f64,
    /// Seconds of the closed loop, without a warm-up, that finds a subject's capacity and the generator's ceiling before the
    /// first round.
    pub capacity_s: f64,
    /// Seconds at least in which requests are due at each rate of the sweep; longer where [`SweepPlan`] wants it, and 0 for
    /// no sweep.
    pub sweep_s: f64,
    /// How the sweep is made.
    pub sweep: SweepPlan,
    /// What the 99th percentile of the latency must not exceed in the sweep, in nanoseconds, by service: the latency objective.
    pub objective_ns: BTreeMap<String, f64>,
    /// The open loop's rate as a share of the weakest subject's closed-loop capacity, found before the first round.
    pub open_share: f64,
    /// How requests fall in time at a given rate, in the open loop and in the sweep.
    pub arrivals: Arrivals,
    /// Seconds after which an answer counts as missing.
    pub timeout_s: f64,
}

/// How requests fall in time at a given rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// Each whenever it likes, as those of many users: a Poisson process, given the number of its requests.
    #[default]
    Random,
    /// One in each slot of 1/rate: gentler than users are.
    Even,
    /// As a later version has it.
    Unknown,
}

impl Arrivals {
    /// All that can be chosen.
    pub const ALL: &[Self] = &[Self::Random, Self::Even];

    /// Its name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Even => "even",
            Self::Unknown => "unknown",
        }
    }
}

/// How a sweep of rates is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepPlan {
    /// How many requests a rate is judged by at least.
    pub requests: f64,
    /// How many times the objective a rate is tried for at least.
    pub objectives: f64,
    /// Seconds that no rate is tried for longer for these two reasons.
    pub longest_s: f64,
    /// How often a rate is tried until it is sustained, before the sweep ends.
    pub tries: u32,
    /// The generator's own lateness at its 99th percentile, as a share of the objective, above which a try does not count.
    pub late: f64,
    /// The share of a subject's capacity up to which every second rate is left out at first.
    pub far_below: f64,
    /// The share of the generator's ceiling up to which there are rates: above, the generator may be what is late.
    pub of_ceiling: f64,
}

/// What was built for a subject and how it was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubjectRecord {
    /// The subject.
    #[serde(flatten)]
    pub subject: Subject,
    /// What is shipped: files or image.
    pub artifacts: Vec<ArtifactRecord>,
    /// Each setting that moves a number, by name.
    pub settings: BTreeMap<String, String>,
    /// What it was granted beyond the hardened default of its platform, because its file asks for it.
    pub grants: Vec<String>,
}

/// A thing that was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactRecord {
    /// What it is: `component`, `program` (of WASI 0.1), `aot`, `host`, `starter`, `binary`, `image` and
    /// each `layer` of it.
    pub kind: String,
    /// Its name: a path relative to the checkout, or the image's name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes in hex; for an image the engine's image id.
    pub sha256: String,
}

/// What was found out before and during a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The CPUs of the load generator.
    pub generator_cpus: Vec<usize>,
    /// The CPUs of the subjects.
    pub subject_cpus: Vec<usize>,
    /// Whether the load generator keeps its CPUs awake, so that no subject pays for waking them.
    pub generator_polls: bool,
    /// The generator's ceiling: right answers per second from a server that does nothing, same connections and pinning.
    pub generator_ceiling_rps: Option<f64>,
    /// The closed-loop capacity of each subject before the first round, in requests per second, by subject.
    pub capacity_rps: BTreeMap<String, f64>,
    /// The rate of the open loop in requests per second, by service. A control that cannot take it gets less: the same share
    /// of its own capacity.
    pub open_rate_rps: BTreeMap<String, f64>,
    /// The rates of the sweep in requests per second, by service; each subject goes up to the first that it does not sustain.
    pub sweep_rps: BTreeMap<String, Vec<f64>>,
    /// The share of all CPUs' time, from 0 to 1, that the hypervisor gave to other machines while the rounds ran; `None`
    /// where the kernel does not tell.
    pub steal_share: Option<f64>,
}

impl RunRecord {
    /// The rate of a subject's open loop in requests per second: the one common to its service, or for a control that cannot
    /// take that the same share of its own capacity. `None` before it was found.
    pub fn open_rate_rps(&self, subject: &Subject) -> Option<f64> {
        let Calibration { open_rate_rps, capacity_rps, .. } = &self.calibration;
        let common = open_rate_rps.get(&subject.service).copied();
        if !self.is_control(subject) {
            return common;
        }
        let own = capacity_rps.get(&subject.to_string())? * self.plan.load.open_share;
        Some(common.map_or(own, |common| common.min(own)))
    }

    /// Whether isolation held wherever it was probed. A comparison of which one side does less than it claims is not fair.
    pub fn is_isolated(&self) -> bool {
        self.isolation.iter().all(|check| check.outcome != Outcome::Broken)
    }

    /// Whether a subject is a control.
    pub fn is_control(&self, subject: &Subject) -> bool {
        self.variant(subject).is_some_and(|variant| variant.role == Role::Control)
    }

    /// The definition of a subject's variant; `None` where the record has none.
    pub fn variant(&self, subject: &Subject) -> Option<&VariantRecord> {
        Some(find(&self.platforms, subject)?.1)
    }

    /// The side of the comparison that a subject is of; `None` for what both sides are compared with.
    pub fn side(&self, subject: &Subject) -> Option<Side> {
        find(&self.platforms, subject)?.0.side
    }

    /// What the controls among the subjects show and do not show.
    pub fn controls(&self) -> Vec<(VariantId, &str)> {
        let all =
            self.platforms.iter().flat_map(|platform| platform.variants.iter().map(move |it| (platform.id(it), it)));
        let shown = all.filter_map(|(id, variant)| Some((id, variant.shows.as_deref()?)));
        shown.filter(|(id, _)| self.plan.subjects.iter().any(|subject| subject.variant_id() == *id)).collect()
    }

    /// Whether there is nothing of a family of metrics to be had of a subject, and why.
    pub fn unavailable(&self, subject: &Subject, group: Group) -> Option<&str> {
        let found = self.unavailable.iter().find(|cell| cell.subject == *subject && cell.group == group)?;
        Some(&found.reason)
    }
}

/// A family of metrics of a subject whose headline figure is as precise as the plan wants, and is not measured again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Converged {
    /// The subject.
    #[serde(flatten)]
    pub subject: Subject,
    /// The family.
    pub group: Group,
    /// The round after which it was.
    pub round: u32,
}

/// A family of metrics that cannot be measured of a subject as it is: of a service that was running already, its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnavailableCell {
    /// The subject.
    #[serde(flatten)]
    pub subject: Subject,
    /// The family of metrics.
    pub group: Group,
    /// Why.
    pub reason: String,
}

/// A cell that has no number, or one that should not be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedCell {
    /// The subject.
    #[serde(flatten)]
    pub subject: Subject,
    /// The family of metrics; `None` where all are meant.
    pub group: Option<Group>,
    /// The round; `None` where it failed before the first.
    pub round: Option<u32>,
    /// What happened, with its causes and the remedy.
    pub reason: String,
}
