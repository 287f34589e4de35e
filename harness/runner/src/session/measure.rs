//! Measuring one subject once: launch, memory, load, stop.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tare_load::{Histogram, Mix, Mode, Outcome};
use tare_model::metrics::{
    CPU_PER_REQUEST, LOAD_ERRORS, MEMORY_ENGINE, STARTUP_COLD, STARTUP_WARM, THROUGHPUT, WARM_UP,
};
use tare_model::{Group, LoadPlan, Metric, Phase, Subject};

use super::density::density;
use super::drive::{Loop, drive, open, warm_up};
use super::memory::Memory;
use super::mix::mix;
use super::sweep::Sweep;
use super::verify::verify;
use super::window::{Beside, Window};
use crate::platforms::{Instance, Launched, Processes, RunContext, Startup, Target};
use crate::sys::cgroup::Cgroup;
use crate::sys::sampling::cpu_time_ns;
use crate::workload::Scenario;

/// The share of requests that may go wrong before the figures of a load are thrown away.
const TOLERATED_ERRORS: f64 = 0.001;

/// The generator's own lateness at its 99th percentile, above which the run is marked.
const LATENESS_LIMIT: Duration = Duration::from_millis(1);

/// A metric, its phase and a value.
pub type Reading = (&'static Metric, Phase, f64);

/// How a subject is measured in a round.
pub struct Job<'a> {
    /// What all subjects share.
    pub context: &'a RunContext,
    /// The requests and right answers of the service.
    pub scenario: &'a Scenario,
    /// The subject's name.
    pub subject: &'a Subject,
    /// What launches it.
    pub target: &'a dyn Target,
    /// The families to measure.
    pub groups: &'a [Group],
    /// The load; `None` in a round without.
    pub load: Option<Load<'a>>,
    /// The numbers of instances whose memory is measured beside each other.
    pub instances: &'a [u32],
    /// How long instances are left alone before their memory is read: what their start has set going comes to rest.
    pub settle: Duration,
}

/// The load of a round.
#[derive(Clone, Copy)]
pub struct Load<'a> {
    /// The loops.
    pub plan: &'a LoadPlan,
    /// The seed of the sequences of requests.
    pub seed: u64,
    /// The open loop's rate in requests per second.
    pub rate_rps: f64,
    /// The rates that are tried besides, in a round in which they are.
    pub sweep: Option<Sweep<'a>>,
}

/// What came of a job: readings, and what went wrong with families of metrics after the launch.
#[derive(Default)]
pub struct Findings {
    /// What was read.
    pub readings: Vec<Reading>,
    /// What could not be measured or trusted, and why.
    pub failures: Vec<(Group, String)>,
    /// The latencies of each load in nanoseconds, from which any percentile can be worked out: of the phases `open`,
    /// `closed`, and `sweep` at its rates.
    pub histograms: Vec<(Phase, Histogram<u64>)>,
}

impl Job<'_> {
    /// Does it. The instance is gone when this returns.
    ///
    /// # Errors
    /// When the subject does not start, dies or does not stop; what was read before is lost then.
    pub async fn run(&self) -> Result<Findings> {
        let mut findings = Findings::default();
        let launched = self.launch().await?;
        if self.groups.contains(&Group::Startup) {
            findings.startup(&STARTUP_COLD, &launched.startup);
        }
        let mut instance = launched.instance;
        let measured = self.measure(instance.as_mut(), &mut findings).await;
        let ended = match instance.ended().await {
            Ok(None) => match &measured {
                Ok(Some(mix)) => self.sweep(instance.as_mut(), mix, &mut findings).await.map(|()| None),
                Ok(None) | Err(_) => Ok(None),
            },
            ended => ended,
        };
        // Whatever could not be found out of it.
        instance.stop().await.context("it could not be stopped")?;
        if let Some(how) = ended? {
            bail!("it died under measurement: {how}");
        }
        measured?;
        let family = [Group::Startup, Group::Memory].into_iter().find(|group| self.groups.contains(group));
        if let Some(family) = family
            && let Err(error) = self.deploy(&mut findings).await
        {
            findings.failures.push((family, format!("{error:#}")));
        }
        if self.groups.contains(&Group::Density) {
            match density(self.target, self.instances, self.settle).await {
                Ok(found) => findings.readings.extend(found.readings),
                Err(error) => findings.failures.push((Group::Density, format!("{error:#}"))),
            }
        }
        Ok(findings)
    }

    /// Launches it, again where this process stood still meanwhile.
    pub(super) async fn launch(&self) -> Result<Launched> {
        let mut tries = 1;
        loop {
            let launched = self.target.launch().await.context("it did not get ready")?;
            let beside = Beside::start(self.context, &launched.startup);
            match beside.wants_another(self.context, self.subject, tries) {
                Ok(false) => return Ok(launched),
                Ok(true) => launched.instance.stop().await.context("it could not be stopped")?,
                Err(error) => {
                    launched.instance.stop().await.context("it could not be stopped")?;
                    return Err(error);
                }
            }
            tries += 1;
        }
    }

    /// Returns the requests of the load, where there was one.
    async fn measure(&self, instance: &mut dyn Instance, findings: &mut Findings) -> Result<Option<Arc<Mix>>> {
        let memory = self.groups.contains(&Group::Memory).then(|| Memory::of(instance)).transpose()?;
        if let Some(memory) = &memory {
            tokio::time::sleep(self.settle).await;
            findings.memory(self.context, "idle", memory.read());
        }
        match self.load {
            Some(load) => self.load(instance, memory, findings, load).await.map(Some),
            None => Ok(None),
        }
    }

    async fn load(
        &self,
        instance: &mut dyn Instance,
        memory: Option<Memory>,
        findings: &mut Findings,
        Load { plan, seed, rate_rps, .. }: Load<'_>,
    ) -> Result<Arc<Mix>> {
        let timeout = Duration::from_secs_f64(plan.timeout_s);
        let captures = verify(self.scenario, instance.addr(), seed, timeout).await?;
        let mix = Arc::new(mix(self.scenario, &captures)?);
        if let Some(memory) = memory {
            self.memory_under_load(instance, memory, findings, &Load { plan, seed, rate_rps, sweep: None }, &mix)
                .await?;
        }
        if !self.groups.contains(&Group::Load) {
            return Ok(mix);
        }
        let open = Loop { name: "open", mode: open(plan, rate_rps), seconds: plan.open_s, seed };
        // Other unique values than in the open loop: the instance is the same.
        let closed = Loop { name: "closed", mode: Mode::Closed, seconds: plan.closed_s, seed: seed ^ u64::MAX };
        for wanted in [open, closed] {
            let Done { outcome, spent, warm_up } = self.one_loop(instance, plan, &mix, wanted).await?;
            self.note_lateness(Duration::from_nanos(outcome.lateness.value_at_quantile(0.99)));
            findings.read(&WARM_UP, wanted.name, warm_up.as_nanos() as f64);
            findings.load(&wanted, &outcome, spent);
        }
        Ok(mix)
    }

    /// Sweeps the rates, last of all on an instance: what goes wrong there, its death included, costs no other figure.
    async fn sweep(&self, instance: &mut dyn Instance, mix: &Arc<Mix>, findings: &mut Findings) -> Result<()> {
        let Some(Load { seed, sweep: Some(sweep), .. }) = self.load else { return Ok(()) };
        if !self.groups.contains(&Group::Load) {
            return Ok(());
        }
        let climbed = sweep.climb(self.context, instance.addr(), seed, mix, findings).await;
        let died = instance.ended().await?.map(|how| format!("it died: {how}"));
        let failed = match (climbed, died) {
            (Ok(late), died) => {
                if let Some(late) = late {
                    self.note_lateness(late);
                }
                died.map(|died| format!("{died}, after the sweep of rates"))
            }
            (Err(error), None) => Some(format!("{error:#}")),
            (Err(error), Some(died)) => Some(format!("{died}: {error:#}")),
        };
        findings.failures.extend(failed.map(|reason| (Group::Load, reason)));
        Ok(())
    }

    async fn one_loop(
        &self,
        instance: &mut dyn Instance,
        plan: &LoadPlan,
        mix: &Arc<Mix>,
        wanted: Loop,
    ) -> Result<Done> {
        let processes = instance.processes()?;
        let warmed = warm_up(self.context, instance.addr(), plan, mix, wanted).await?;
        if !warmed.steady {
            self.context.notes.unsteady(self.subject);
        }
        let mut tries = 1;
        let (outcome, spent) = loop {
            // Other unique values in each try: the instance is the same.
            let wanted = Loop { seed: wanted.seed.wrapping_sub(u64::from(tries - 1) << 48), ..wanted };
            let window = Window::begin(self.context);
            // A process that ends in a load takes its account with it.
            let before = cpu_ns(&processes, instance.cgroup()).ok();
            let outcome = drive(self.context, instance.addr(), plan, mix, wanted).await?;
            let after = cpu_ns(&processes, instance.cgroup()).ok();
            // Of a service that somebody else started the processes are not known.
            let spent = before.zip(after).filter(|_| !processes.service.is_empty());
            let spent = spent.map(|(before, after)| after.saturating_sub(before));
            if !window.end(self.context, spent).wants_another(self.context, self.subject, tries)? {
                break (outcome, spent);
            }
            tries += 1;
        };
        Ok(Done { outcome, spent, warm_up: warmed.took })
    }

    fn note_lateness(&self, late: Duration) {
        if late > LATENESS_LIMIT {
            self.context.notes.lateness(self.subject, late);
        }
    }

    /// The same subject deployed into an engine that already runs.
    pub(super) async fn deploy(&self, findings: &mut Findings) -> Result<()> {
        let mut tries = 1;
        let deployed = loop {
            let deployed = self.target.deploy().await.context("it could not be deployed into a running engine")?;
            let Some(deployed) = deployed else { return Ok(()) };
            let beside = Beside::start(self.context, &deployed.startup);
            if !beside.wants_another(self.context, self.subject, tries)? {
                break deployed;
            }
            tries += 1;
        };
        if self.groups.contains(&Group::Startup) {
            findings.startup(&STARTUP_WARM, &deployed.startup);
        }
        if self.groups.contains(&Group::Memory) {
            findings.read(&MEMORY_ENGINE, "empty", deployed.empty_engine_bytes as f64);
        }
        Ok(())
    }
}

fn cpu_ns(processes: &Processes, cgroup: Option<&Cgroup>) -> Result<u64> {
    let sum = |pids: &[i32]| pids.iter().map(|&pid| cpu_time_ns(pid)).sum::<Result<u64>>();
    let service = match cgroup {
        Some(cgroup) => u64::try_from(cgroup.cpu_time()?.as_nanos())?,
        None => sum(&processes.service)?,
    };
    Ok(service + sum(&processes.engine)?)
}

/// A loop that is over.
struct Done {
    outcome: Outcome,
    /// The CPU time of the subject in nanoseconds, where it is known.
    spent: Option<u64>,
    /// How long the warm-up before it took.
    warm_up: Duration,
}

impl Findings {
    /// Notes a reading.
    pub fn read(&mut self, metric: &'static Metric, phase: impl Into<Phase>, value: f64) {
        self.readings.push((metric, phase.into(), value));
    }

    /// Keeps the latencies of a load.
    pub fn histogram(&mut self, phase: impl Into<Phase>, latencies: &Histogram<u64>) {
        self.histograms.push((phase.into(), latencies.clone()));
    }

    /// How long the starts took together; `None` where none was measured.
    pub fn starts(&self) -> Option<Duration> {
        let is_start = |reading: &&Reading| [&STARTUP_COLD, &STARTUP_WARM].contains(&reading.0) && reading.1 == "total";
        let totals: Vec<f64> = self.readings.iter().filter(is_start).map(|reading| reading.2).collect();
        (!totals.is_empty()).then(|| Duration::from_secs_f64(totals.iter().sum::<f64>() / 1e9))
    }

    pub(super) fn startup(&mut self, metric: &'static Metric, startup: &Startup) {
        self.read(metric, "total", startup.total_ns() as f64);
        for (phase, length) in startup.phases() {
            self.read(metric, phase, length as f64);
        }
    }

    fn load(&mut self, done: &Loop, outcome: &Outcome, cpu_ns: Option<u64>) {
        let phase = done.name;
        let errors = outcome.errors.total();
        self.read(&LOAD_ERRORS, phase, errors as f64);
        if errors > 0 {
            self.failures.push((Group::Load, describe_errors(phase, outcome)));
        }
        let asked = (outcome.right + errors).max(1);
        if errors as f64 > asked as f64 * TOLERATED_ERRORS || outcome.right == 0 {
            return;
        }
        let throughput = match done.mode {
            Mode::Closed => outcome.throughput_rps(),
            Mode::Open { .. } => outcome.rate_in_window_rps(),
        };
        self.read(&THROUGHPUT, phase, throughput);
        self.histogram(phase, &outcome.latency);
        if let Some(cpu_ns) = cpu_ns {
            self.read(&CPU_PER_REQUEST, phase, cpu_ns as f64 / outcome.right as f64);
        }
    }
}

pub(super) fn describe_errors(phase: &str, outcome: &Outcome) -> String {
    let kinds = outcome.errors.tallies().into_iter().filter(|(_, tally)| tally.count > 0);
    let texts =
        kinds.map(|(kind, tally)| format!("{} {kind} (first: {})", tally.count, tally.first.as_deref().unwrap_or("?")));
    format!("{phase} loop, requests not answered rightly: {}", texts.collect::<Vec<_>>().join("; "))
}
