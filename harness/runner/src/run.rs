//! A whole run: preparation, calibration, rounds.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use tare_load::{Mix, Mode, Outcome};
use tare_model::metrics::SIZE;
use tare_model::{Calibration, Group, Plan, RunRecord, RunState, SCHEMA_VERSION, Sample, Subject};

use crate::affinity::pin_this_thread;
use crate::agenda::{Agenda, Turn};
use crate::cancel::Cancel;
use crate::drive::{Loop, ceiling, drive, open_rates};
use crate::facts;
use crate::isolation;
use crate::ladder::{self, Ladder};
use crate::layout::{Layout, Service};
use crate::measure::{Findings, Job, Load};
use crate::mix::mix;
use crate::observer::{Measured, Observer, Progress};
use crate::plan::{Choice, Suite, choose, order, plan};
use crate::prepare::{Prepared, Ready, controls, failed, prepare};
use crate::sampling::{CpuTimes, STEAL_LIMIT};
use crate::verify::verify;

/// After this many failures one after another a subject is left out of the rounds that remain: a hang costs its
/// timeout each time, and the others have a right to theirs.
const FAILURES_TOLERATED: u32 = 2;

/// What to run.
pub struct Options<'a> {
    /// The run's name.
    pub run: &'a str,
    /// The checkout.
    pub layout: &'a Layout,
    /// Its services.
    pub services: &'a [Service],
    /// How much to measure.
    pub suite: &'a Suite,
    /// What to measure.
    pub choice: &'a Choice,
    /// The command line that repeats the run.
    pub command: Vec<String>,
}

/// Does a whole run. Dropping the future ends it; [`crate::prepare::clear`] then removes its containers.
///
/// # Errors
/// What concerns all subjects. What concerns one is in the record.
pub async fn run(options: &Options<'_>, cancel: &Cancel, observer: &mut dyn Observer) -> Result<RunRecord> {
    let chosen = choose(options.choice, options.services)?;
    let mut record = begin(options, plan(options.suite, options.choice, &chosen));
    observer.record(&record)?;
    let prepared = prepare(options.run, options.layout, &chosen, cancel, observer).await?;
    record.versions.extend(prepared.versions.clone());
    record.subjects = prepared.records();
    record.controls = controls(&chosen);
    record.failed.clone_from(&prepared.failed);
    let world = &prepared.world;
    record.calibration.generator_cpus.clone_from(&world.cpus.generator);
    record.calibration.subject_cpus.clone_from(&world.cpus.subject);
    record.calibration.generator_polls = !world.generator_cpus().is_empty();
    if !world.cpus.are_separate() {
        world
            .warn("one CPU serves both the load generator and the subjects: figures under load are not to be believed");
    }
    // The harness itself keeps off the subjects' CPUs.
    pin_this_thread(&world.cpus.generator)?;
    let began = Instant::now();
    let mut run =
        Run { prepared: &prepared, record, observer, began, cpu_times: CpuTimes::now(), strikes: HashMap::new() };
    run.sizes()?;
    run.calibrate().await?;
    // Who asks for single families wants no more than these.
    if options.choice.only.is_empty() {
        run.probe_isolation().await?;
    }
    run.rounds().await?;
    Ok(run.record)
}

fn begin(options: &Options<'_>, plan: Plan) -> RunRecord {
    RunRecord {
        schema_version: SCHEMA_VERSION,
        run: options.run.into(),
        command: options.command.clone(),
        started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        state: RunState::Running,
        host: facts::host(),
        versions: facts::versions(&options.layout.root),
        git_commit: facts::git_commit(&options.layout.root),
        plan,
        subjects: Vec::new(),
        controls: BTreeMap::new(),
        settled: Vec::new(),
        isolation: Vec::new(),
        calibration: Calibration::default(),
        failed: Vec::new(),
        warnings: Vec::new(),
    }
}

struct Run<'a> {
    prepared: &'a Prepared<'a>,
    record: RunRecord,
    observer: &'a mut dyn Observer,
    began: Instant,
    /// Those of the machine at the beginning.
    cpu_times: Option<CpuTimes>,
    /// Failures one after another, by subject.
    strikes: HashMap<Subject, u32>,
}

impl Run<'_> {
    fn wants(&self, group: Group) -> bool {
        self.record.plan.only.contains(&group)
    }

    /// Whether the subjects are loaded at all: memory is also read under load.
    fn loads(&self) -> bool {
        self.wants(Group::Load) || self.wants(Group::Memory)
    }

    fn sizes(&mut self) -> Result<()> {
        if !self.wants(Group::Size) {
            return Ok(());
        }
        for ready in &self.prepared.ready {
            match ready.target.sizes() {
                Ok(sizes) => {
                    let readings = sizes.into_iter().map(|(phase, bytes)| (&SIZE, phase.to_owned(), bytes as f64));
                    self.write(ready, 0, 0, readings)?;
                }
                Err(error) => self.record.failed.push(failed(&ready.chosen, Some(Group::Size), None, &error)),
            }
        }
        Ok(())
    }

    /// Before any number counts: every subject passes its scenario, and where there is to be a load, its capacity and
    /// the generator's are found.
    async fn calibrate(&mut self) -> Result<()> {
        let prepared = self.prepared;
        let load = self.record.plan.load.clone();
        let mut services = BTreeSet::new();
        for (index, ready) in prepared.ready.iter().enumerate() {
            let subject = ready.chosen.subject();
            self.tell(&format!("verify {subject} ({} of {})", index + 1, prepared.ready.len()), None);
            match self.verify(ready).await {
                Ok(Some((capacity, mix))) => {
                    self.record.calibration.capacity_rps.insert(subject.to_string(), capacity);
                    if services.insert(subject.service.clone()) {
                        self.find_ceiling(&mix).await?;
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    self.record.failed.push(failed(&ready.chosen, None, None, &error));
                    self.strikes.insert(subject, FAILURES_TOLERATED);
                }
            }
            self.save()?;
        }
        let capacities = &self.record.calibration.capacity_rps;
        let subjects = prepared.ready.iter().map(|ready| ready.chosen.subject());
        // Controls do not count: they are no alternative that the load of the others would have to suit.
        let judged = subjects.filter(|subject| !self.record.is_control(subject)).filter_map(|subject| {
            let capacity = *capacities.get(&subject.to_string())?;
            Some((subject.service, capacity))
        });
        let judged: Vec<(String, f64)> = judged.collect();
        let calibration = &mut self.record.calibration;
        calibration.open_rate_rps = open_rates(judged.clone(), load.open_share);
        if let Some(ceiling) = calibration.generator_ceiling_rps.filter(|_| load.ladder_s > 0.0) {
            calibration.ladder_rps = ladder::rates(judged, load.open_share, ceiling * load.ladder.of_ceiling);
        }
        self.save()
    }

    /// Passes a subject through its scenario; gives its capacity in requests per second, where it is to be loaded.
    async fn verify(&self, ready: &Ready<'_>) -> Result<Option<(f64, Arc<Mix>)>> {
        let (world, plan) = (&self.prepared.world, &self.record.plan);
        let scenario = &ready.chosen.service.scenario;
        let timeout = Duration::from_secs_f64(plan.load.timeout_s);
        let mut launched = ready.target.launch().await.context("it did not start")?;
        let addr = launched.instance.addr();
        let judged = async {
            let captures = verify(scenario, addr, plan.seed, timeout).await?;
            if !self.loads() {
                return Ok(None);
            }
            let mix = Arc::new(mix(scenario, &captures)?);
            let outcome = drive(world, addr, &plan.load, &mix, capacity_loop(plan)).await?;
            ensure!(outcome.right > 0, "no request of the load was answered rightly: {}", first_error(&outcome));
            Ok(Some((outcome.throughput_rps(), mix)))
        };
        let judged: Result<Option<(f64, Arc<Mix>)>> = judged.await;
        let ended = launched.instance.ended().await?;
        launched.instance.stop().await?;
        match (judged, ended) {
            (Err(error), Some(how)) => Err(error.context(format!("it died: {how}"))),
            (judged, _) => judged,
        }
    }

    /// The generator's ceiling with a service's requests; the lowest of all services counts.
    async fn find_ceiling(&mut self, mix: &Arc<Mix>) -> Result<()> {
        let plan = &self.record.plan;
        let found = ceiling(&self.prepared.world, &plan.load, mix, capacity_loop(plan)).await?;
        let lowest = &mut self.record.calibration.generator_ceiling_rps;
        *lowest = Some(lowest.map_or(found, |lowest| lowest.min(found)));
        Ok(())
    }

    async fn probe_isolation(&mut self) -> Result<()> {
        let observer = &mut *self.observer;
        self.record.isolation =
            isolation::probe(self.prepared, &mut self.record.failed, |what| observer.progress(&Progress::step(what)))
                .await?;
        self.save()
    }

    /// Measures in rounds until everything is precise, the time is spent, or there were as many as the plan has.
    async fn rounds(&mut self) -> Result<()> {
        let prepared = self.prepared;
        let Plan { rounds, seed, precision, reference, turns, time_limit_s, .. } = self.record.plan.clone();
        let limit = Duration::from_secs_f64(time_limit_s);
        let subjects: Vec<Subject> = prepared.ready.iter().map(|ready| ready.chosen.subject()).collect();
        let mut agenda = Agenda::new(prepared.ready.iter().map(|ready| self.wanted(ready)), &reference, turns);
        for round in 1..=rounds {
            let order = order(subjects.len(), seed, round);
            for (place, &index) in order.iter().enumerate() {
                let (ready, subject) = (&prepared.ready[index], &subjects[index]);
                if self.strikes.get(subject).is_some_and(|strikes| *strikes >= FAILURES_TOLERATED) {
                    agenda.drop(index);
                }
                let due = agenda.due(index, round);
                if due.is_empty() {
                    continue;
                }
                let left = agenda.left(limit.saturating_sub(self.began.elapsed()), (round, rounds), &order[place..]);
                let measured = (round > 1 || place > 0).then(|| self.measured(left));
                self.tell(&format!("round {round}: {subject}"), measured);
                let began = Instant::now();
                self.measure(ready, &due, round, u32::try_from(place)? + 1).await?;
                agenda.took(index, round, began.elapsed());
            }
            let observer = &mut *self.observer;
            self.record.settled.extend(agenda.judge(round, |s, group| observer.rounds_wanted(s, group, precision)));
            self.save()?;
            if agenda.is_done() {
                break;
            }
            if round < rounds && self.began.elapsed() + agenda.round(round + 1) > limit {
                self.record.state = RunState::TimeSpent;
                return self.save();
            }
        }
        self.record.state = RunState::Complete;
        self.save()
    }

    /// A subject with the families that are measured of it.
    fn wanted(&self, ready: &Ready<'_>) -> (Subject, Vec<Group>) {
        let (subject, Plan { only, in_depth, .. }) = (ready.chosen.subject(), &self.record.plan);
        let mut groups = only.clone();
        groups.retain(|group| *group != Group::Density || in_depth.contains(&subject));
        (subject, groups)
    }

    /// The ladder of a subject, in a round in which it has one.
    fn ladder(&self, ready: &Ready<'_>, round: u32) -> Option<Ladder<'_>> {
        let (plan, service, subject) = (&self.record.plan, &ready.chosen.service.name, ready.chosen.subject());
        let rates_rps = self.record.calibration.ladder_rps.get(service)?;
        let objective_ns = *plan.load.objective_ns.get(service)?;
        let capacity_rps = *self.record.calibration.capacity_rps.get(&subject.to_string())?;
        let is_turn = plan.in_depth.contains(&subject) && Turn::of(round, plan.turns) == Turn::Ladder;
        is_turn.then_some(Ladder { plan: &plan.load, rates_rps, objective_ns, capacity_rps })
    }

    fn measured(&self, left: Duration) -> Measured {
        let (done_s, left_s) = (self.began.elapsed().as_secs_f64(), left.as_secs_f64());
        Measured { share: done_s / (done_s + left_s), left_s }
    }

    async fn measure(&mut self, ready: &Ready<'_>, due: &[Group], round: u32, position: u32) -> Result<()> {
        let subject = ready.chosen.subject();
        let plan = self.record.plan.clone();
        let rate = self.record.open_rate_rps(&subject);
        // Without figures of the load, it is there for the peak of memory.
        let loaded = due.contains(&Group::Load) || due.contains(&Group::Memory) && !self.wants(Group::Load);
        // Another sequence of requests in each round, the same for all subjects.
        let load = rate.filter(|_| loaded).map(|rate_rps| Load {
            plan: &plan.load,
            seed: plan.seed.wrapping_add(u64::from(round)),
            rate_rps,
            ladder: self.ladder(ready, round),
        });
        let job = Job {
            world: &self.prepared.world,
            service: ready.chosen.service,
            subject: &subject,
            target: ready.target.as_ref(),
            groups: due,
            load,
            instances: &plan.instances,
            settle: Duration::from_secs_f64(plan.settle_s),
        };
        let findings = match job.run().await {
            Ok(findings) => findings,
            Err(error) => {
                *self.strikes.entry(subject).or_default() += 1;
                self.record.failed.push(failed(&ready.chosen, None, Some(round), &error));
                return Ok(());
            }
        };
        self.strikes.remove(&subject);
        let Findings { readings, failures } = findings;
        self.write(ready, round, position, readings)?;
        for (group, reason) in failures {
            self.record.failed.push(failed(&ready.chosen, Some(group), Some(round), &anyhow::anyhow!(reason)));
        }
        Ok(())
    }

    fn write(
        &mut self,
        ready: &Ready<'_>,
        round: u32,
        position: u32,
        readings: impl IntoIterator<Item = (&'static tare_model::Metric, String, f64)>,
    ) -> Result<()> {
        for (metric, phase, value) in readings {
            let sample = Sample { round, position, subject: ready.chosen.subject(), metric, phase, value };
            self.observer.sample(&sample)?;
        }
        Ok(())
    }

    fn tell(&mut self, what: &str, measured: Option<Measured>) {
        self.observer.progress(&Progress { what: what.into(), measured });
    }

    fn save(&mut self) -> Result<()> {
        self.record.warnings = self.prepared.world.all_warnings();
        let times = CpuTimes::now().zip(self.cpu_times);
        let stolen = times.map(|(now, then)| (now - then).stolen_share());
        self.record.calibration.steal_share = stolen;
        if let Some(stolen) = stolen.filter(|stolen| *stolen > STEAL_LIMIT) {
            let stolen = stolen * 100.0;
            self.record.warnings.push(format!(
                "this is a virtual machine, and {stolen:.1} % of its CPU time went to others while the rounds ran: sizes \
                 and memory stand, times and rates are of a disturbed machine"
            ));
        }
        self.observer.record(&self.record)
    }
}

fn capacity_loop(plan: &Plan) -> Loop {
    Loop { name: "closed", mode: Mode::Closed, seconds: plan.load.capacity_s, seed: plan.seed }
}

fn first_error(outcome: &Outcome) -> String {
    let first = outcome
        .errors
        .tallies()
        .into_iter()
        .find_map(|(kind, tally)| Some(format!("{kind}: {}", tally.first.as_deref()?)));
    first.unwrap_or_else(|| "no answer came".into())
}
