//! A whole run: preparation, calibration, rounds.

mod begin;
mod calibrate;
pub mod checks;
pub mod examine;
mod intruder;
pub mod isolation;
pub mod observer;
mod percentiles;
pub mod plan;
pub mod preflight;
pub mod prepare;
mod scheduler;
mod starts;
mod suites;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use tare_model::metrics::{SIZE, THROUGHPUT};
use tare_model::{Group, Plan, RunRecord, RunState, Sample, Subject};

use self::begin::begin;
use self::observer::{LoadName, Measured, Observer, Progress, StoppingRule};
use self::percentiles::Percentiles;
use self::plan::{Choice, Chosen, Suite, choose, order, plan};
use self::preflight::{own_quota, quota};
use self::prepare::{Prepared, Ready, failed, prepare};
use self::scheduler::{Rotation, Scheduler};
use self::starts::Starts;
use crate::session::measure::{Findings, Job, Load, Reading};
use crate::session::sweep::Sweep;
use crate::sys::affinity::pin_this_thread;
use crate::sys::cancel::Cancel;
use crate::sys::conditions;
use crate::sys::costs::costs;
use crate::sys::finding::Level;
use crate::sys::sampling::{CpuTimes, STEAL_LIMIT};
use crate::workload::{Layout, Service};

/// After this many failures one after another a subject is left out of the rounds that remain: a hang costs its
/// timeout each time, and the others have a right to theirs.
const FAILURES_TOLERATED: u32 = 2;

/// What to run.
pub struct Options<'a> {
    /// The run's name.
    pub run: &'a str,
    /// Where things are.
    pub layout: &'a Layout,
    /// The services.
    pub services: &'a [Service],
    /// How much to measure.
    pub suite: &'a Suite,
    /// What to measure.
    pub choice: &'a Choice,
    /// The command line that repeats the run.
    pub command: Vec<String>,
}

/// Does a whole run. Dropping the future ends it; [`crate::clear`] then removes its containers.
///
/// # Errors
/// What concerns all subjects. What concerns one is in the record.
pub async fn run(
    options: &Options<'_>,
    cancel: &Cancel,
    observer: &mut dyn Observer,
    rule: &mut dyn StoppingRule,
) -> Result<RunRecord> {
    let chosen = choose(options.choice, options.services)?;
    let record = begin(options, plan(options.suite, options.choice, &chosen));
    observer.record(&record)?;
    let prepared = prepare(options.run, options.layout, &chosen, cancel, observer).await?;
    // Who asks for single families wants no more than these.
    let probed = if options.choice.only.is_empty() { &chosen[..] } else { &[] };
    measure(&prepared, record, probed, observer, rule).await
}

/// Measures what is ready, and probes the isolation of these variants.
///
/// # Errors
/// What concerns all subjects. What concerns one is in the record.
async fn measure(
    prepared: &Prepared<'_>,
    mut record: RunRecord,
    probed: &[Chosen<'_>],
    observer: &mut dyn Observer,
    rule: &mut dyn StoppingRule,
) -> Result<RunRecord> {
    record.versions.extend(prepared.versions.clone());
    record.subjects = prepared.records();
    record.failed.clone_from(&prepared.failed);
    record.unavailable = prepared.unavailable(&record.plan.only);
    let context = &prepared.context;
    record.calibration.generator_cpus.clone_from(&context.cpus.generator);
    record.calibration.subject_cpus.clone_from(&context.cpus.subject);
    record.calibration.generator_polls = !context.generator_cpus().is_empty();
    if !context.cpus.are_separate() {
        context
            .notes
            .warn("one CPU serves both the load generator and the subjects: figures under load are not to be believed");
    }
    // The harness itself keeps off the subjects' CPUs.
    pin_this_thread(&context.cpus.generator)?;
    if record.plan.only.iter().any(|group| matches!(group, Group::Memory | Group::Density)) {
        prepared.note_others().await?;
    }
    // Once more, now that nothing is built any more; what happens in the rounds is seen there.
    let now = conditions::findings().await.into_iter().chain(quota(own_quota()));
    for found in now.filter(|found| found.level > Level::Good) {
        context.notes.warn(format!("before the rounds, {}: {}", found.what, found.detail));
    }
    record.host.conditions.extend(costs(&context.cpus));
    let (began, cpu_times) = (Instant::now(), CpuTimes::now());
    let mut run = Run {
        prepared,
        record,
        observer,
        rule,
        began,
        cpu_times,
        percentiles: Percentiles::default(),
        strikes: HashMap::new(),
    };
    run.sizes()?;
    run.calibrate().await?;
    if !run.is_cancelled() {
        run.probe_isolation(probed).await?;
    }
    if !run.is_cancelled() {
        run.rounds().await?;
    }
    if run.is_cancelled() {
        run.interrupt()?;
    }
    Ok(run.record)
}

struct Run<'a> {
    prepared: &'a Prepared<'a>,
    record: RunRecord,
    observer: &'a mut dyn Observer,
    rule: &'a mut dyn StoppingRule,
    began: Instant,
    /// Those of the machine at the beginning.
    cpu_times: Option<CpuTimes>,
    percentiles: Percentiles,
    /// Failures one after another, by subject.
    strikes: HashMap<Subject, u32>,
}

impl Run<'_> {
    /// Whether the user has ended the run. The record says so, whatever it was doing.
    fn is_cancelled(&self) -> bool {
        self.prepared.context.cancel.is_set()
    }

    fn interrupt(&mut self) -> Result<()> {
        self.record.state = RunState::Interrupted;
        self.save()
    }

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
                    let readings = sizes.into_iter().map(|(phase, bytes)| (&SIZE, phase.into(), bytes as f64));
                    self.write(ready, 0, 0, readings)?;
                }
                Err(error) => self.record.failed.push(failed(&ready.subject, Some(Group::Size), None, &error)),
            }
        }
        Ok(())
    }

    async fn probe_isolation(&mut self, probed: &[Chosen<'_>]) -> Result<()> {
        let observer = &mut *self.observer;
        let tell = |what| observer.progress(&Progress::step(what));
        self.record.isolation = isolation::probe(self.prepared, probed, &mut self.record.failed, tell).await?;
        self.save()
    }

    /// Measures in rounds until everything is precise, the time is spent, or there were as many as the plan has.
    async fn rounds(&mut self) -> Result<()> {
        let prepared = self.prepared;
        let Plan { rounds, seed, reference, rotation, time_limit_s, starts_s, .. } = self.record.plan.clone();
        let limit = Duration::from_secs_f64(time_limit_s);
        let subjects: Vec<Subject> = prepared.ready.iter().map(|ready| ready.subject.clone()).collect();
        let wanted = prepared.ready.iter().map(|ready| self.wanted(ready));
        let mut scheduler = Scheduler::new(wanted, &reference, rotation);
        let mut starts = Starts::new(subjects.len(), Duration::from_secs_f64(starts_s));
        for round in 1..=rounds {
            let order = order(subjects.len(), seed, round);
            let starting: Vec<usize> =
                order.iter().copied().filter(|index| scheduler.due(*index, round).contains(&Group::Startup)).collect();
            let spread = starts.spread(&starting, order.len(), seed, round);
            for (place, &index) in order.iter().enumerate() {
                self.start_again(&spread[place], (round, place), &mut starts, &mut scheduler).await?;
                if self.is_cancelled() {
                    return self.interrupt();
                }
                let (ready, subject) = (&prepared.ready[index], &subjects[index]);
                if self.strikes.get(subject).is_some_and(|strikes| *strikes >= FAILURES_TOLERATED) {
                    scheduler.drop(index);
                }
                let due = scheduler.due(index, round);
                if due.is_empty() {
                    continue;
                }
                let left = scheduler.left(limit.saturating_sub(self.began.elapsed()), (round, rounds), &order[place..]);
                let measured = (round > 1 || place > 0).then(|| self.measured(left));
                self.tell(&format!("round {round}: {subject}"), measured);
                let began = Instant::now();
                let start = self.measure(ready, &due, round, u32::try_from(place)? + 1).await?;
                if let Some(start) = start {
                    starts.guess(index, start);
                }
                if self.is_cancelled() {
                    return self.interrupt();
                }
                scheduler.took(index, round, began.elapsed());
            }
            let rule = &*self.rule;
            let converged = scheduler.judge(round, |subject, group| rule.rounds_wanted(subject, group));
            self.record.converged.extend(converged);
            self.save()?;
            if scheduler.is_done() {
                break;
            }
            if round < rounds && self.began.elapsed() + scheduler.round(round + 1) > limit {
                self.record.state = RunState::TimeSpent;
                return self.save();
            }
        }
        self.record.state = RunState::Complete;
        self.save()
    }

    /// A subject with the families that are measured of it.
    fn wanted(&self, ready: &Ready<'_>) -> (Subject, Vec<Group>) {
        let (subject, Plan { only, in_depth, .. }) = (ready.subject.clone(), &self.record.plan);
        let mut groups = only.clone();
        groups.retain(|group| *group != Group::Density || in_depth.contains(&subject));
        groups.retain(|group| self.record.unavailable(&subject, *group).is_none());
        (subject, groups)
    }

    /// The sweep of a subject, in a round in which it has one.
    fn sweep(&self, ready: &Ready<'_>, round: u32) -> Option<Sweep<'_>> {
        let (plan, service, subject) = (&self.record.plan, &ready.subject.service, ready.subject.clone());
        let rates_rps = self.record.calibration.sweep_rps.get(service)?;
        let objective_ns = *plan.load.objective_ns.get(service)?;
        let capacity_rps = *self.record.calibration.capacity_rps.get(&subject.to_string())?;
        let is_due = plan.in_depth.contains(&subject) && Rotation::of(round, plan.rotation) == Rotation::Sweep;
        is_due.then_some(Sweep { plan: &plan.load, rates_rps, objective_ns, capacity_rps })
    }

    fn measured(&self, left: Duration) -> Measured {
        let (done_s, left_s) = (self.began.elapsed().as_secs_f64(), left.as_secs_f64());
        Measured { share: done_s / (done_s + left_s), left_s }
    }

    /// Returns how long its starts took, where they were measured.
    async fn measure(
        &mut self,
        ready: &Ready<'_>,
        due: &[Group],
        round: u32,
        position: u32,
    ) -> Result<Option<Duration>> {
        let plan = self.record.plan.clone();
        let rate = self.record.open_rate_rps(&ready.subject);
        // Without figures of the load, it is there for the peak of memory.
        let loaded = due.contains(&Group::Load) || due.contains(&Group::Memory) && !self.wants(Group::Load);
        // Another sequence of requests in each round, the same for all subjects.
        let load = rate.filter(|_| loaded).map(|rate_rps| Load {
            plan: &plan.load,
            seed: plan.seed.wrapping_add(u64::from(round)),
            rate_rps,
            sweep: self.sweep(ready, round),
        });
        let found = self.job(&plan, ready, due, load).run().await;
        let starts = found.as_ref().ok().and_then(Findings::starts);
        self.file(ready, None, (round, position), found)?;
        Ok(starts)
    }

    /// What is to be done with a subject.
    fn job<'j>(&'j self, plan: &'j Plan, ready: &'j Ready<'_>, groups: &'j [Group], load: Option<Load<'j>>) -> Job<'j> {
        Job {
            context: &self.prepared.context,
            scenario: ready.scenario,
            subject: &ready.subject,
            target: ready.target.as_ref(),
            groups,
            load,
            instances: &plan.instances,
            settle: Duration::from_secs_f64(plan.settle_s),
        }
    }

    /// Writes what was found of a subject at a place of a round, or why nothing was: of a family of metrics, or of all.
    fn file(
        &mut self,
        ready: &Ready<'_>,
        family: Option<Group>,
        (round, position): (u32, u32),
        found: Result<Findings>,
    ) -> Result<()> {
        let Findings { mut readings, failures, histograms } = match found {
            Ok(findings) => findings,
            // What the user ended has not failed.
            Err(_) if self.is_cancelled() => return Ok(()),
            Err(error) => {
                *self.strikes.entry(ready.subject.clone()).or_default() += 1;
                self.record.failed.push(failed(&ready.subject, family, Some(round), &error));
                return Ok(());
            }
        };
        // Who starts has not yet been measured.
        if family.is_none() {
            self.strikes.remove(&ready.subject);
        }
        for (phase, latencies) in &histograms {
            self.observer.latencies(&LoadName { subject: &ready.subject, round, phase }, latencies)?;
            // Those of the sweep are known at their rates.
            if phase.at.is_none() {
                readings.extend(self.percentiles.after(round, &ready.subject, &phase.name, latencies));
            }
        }
        self.write(ready, round, position, readings)?;
        for (group, reason) in failures {
            self.record.failed.push(failed(&ready.subject, Some(group), Some(round), &anyhow!(reason)));
        }
        Ok(())
    }

    fn write(
        &mut self,
        ready: &Ready<'_>,
        round: u32,
        position: u32,
        readings: impl IntoIterator<Item = Reading>,
    ) -> Result<()> {
        for (metric, phase, value) in readings {
            // What a subject reaches, the generator does.
            if let Some(ceiling) = self.record.calibration.generator_ceiling_rps.filter(|_| *metric == THROUGHPUT) {
                self.record.calibration.generator_ceiling_rps = Some(ceiling.max(value));
            }
            let sample = Sample { round, position, subject: ready.subject.clone(), metric, phase, value };
            self.observer.sample(&sample)?;
            self.rule.observe(&sample);
        }
        Ok(())
    }

    fn tell(&mut self, what: &str, measured: Option<Measured>) {
        self.observer.progress(&Progress { what: what.into(), measured });
    }

    fn save(&mut self) -> Result<()> {
        let context = &self.prepared.context;
        self.record.warnings = context.notes.all().iter().map(|text| context.layout.shortened(text)).collect();
        for failed in &mut self.record.failed {
            failed.reason = context.layout.shortened(&failed.reason);
        }
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
