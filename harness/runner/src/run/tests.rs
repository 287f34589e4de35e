//! The run itself, on a platform that costs nothing: targets behind which the load generator's null server answers, and which
//! fail, die or hang when they are told to.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use async_trait::async_trait;
use tare_load::{Histogram, NullServer};
use tare_model::{ArtifactRecord, Group, Host, Phase, RunRecord, RunState, Sample, Subject};

use super::begin::begin_with;
use super::measure;
use super::observer::{EveryRound, LoadName, Observer, Progress, StoppingRule};
use super::plan::{Choice, SUITES, order, plan};
use super::prepare::{Prepared, Ready};
use crate::artifacts::Products;
use crate::platforms::{Cause, End, Instance, Launched, Notes, Processes, Replicas, RunContext, Startup, Target};
use crate::sys::affinity::Cpus;
use crate::sys::cancel::Cancel;
use crate::sys::cgroup::Cgroup;
use crate::sys::clock::monotonic_ns;
use crate::sys::pulse::Pulse;
use crate::workload::{Layout, Provenance, Quick, Scenario};

/// What happened, in order.
#[derive(Debug, Clone, PartialEq)]
enum Event {
    Launched(String),
    Sampled(String, u32, u32),
    Saved,
}

#[derive(Default)]
struct Log {
    events: RefCell<Vec<Event>>,
    running: Cell<i32>,
}

impl Log {
    fn push(&self, event: Event) {
        self.events.borrow_mut().push(event);
    }

    fn launches(&self) -> Vec<String> {
        let names = self.events.borrow().clone().into_iter();
        names.filter_map(|event| if let Event::Launched(name) = event { Some(name) } else { None }).collect()
    }
}

/// What a fake does at its launch of this number, counted from 1.
type Script = fn(u32) -> Act;

#[derive(Clone, Copy)]
enum Act {
    Run,
    Fail,
    Die,
    /// It hangs until the user ends the run, which happens right then.
    Hang,
    /// It runs, and the user ends the run a moment later: in the load that is put on it.
    EndSoon,
}

struct Fake {
    name: String,
    log: Rc<Log>,
    launches: Cell<u32>,
    script: Script,
    cancel: Cancel,
    unavailable: Vec<Group>,
}

struct Running {
    server: NullServer,
    log: Rc<Log>,
    dies: bool,
}

#[async_trait(?Send)]
impl Target for Fake {
    fn artifacts(&self) -> Vec<ArtifactRecord> {
        Vec::new()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn unavailable(&self) -> Vec<(Group, String)> {
        self.unavailable.iter().map(|group| (*group, "it is a fake".to_owned())).collect()
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        Ok(vec![("artifact", 1000)])
    }

    async fn launch(&self) -> Result<Launched> {
        self.launches.set(self.launches.get() + 1);
        self.log.push(Event::Launched(self.name.clone()));
        let act = (self.script)(self.launches.get());
        let began = monotonic_ns();
        match act {
            Act::Fail => bail!("it would not"),
            Act::Hang => {
                self.cancel.set();
                bail!("interrupted");
            }
            Act::EndSoon => {
                let cancel = self.cancel.clone();
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(50));
                    cancel.set();
                });
            }
            Act::Run | Act::Die => {}
        }
        let server = NullServer::start(&[])?;
        self.log.running.set(self.log.running.get() + 1);
        let startup = Startup::new(began, vec![("spawn".into(), monotonic_ns())], monotonic_ns());
        let instance = Running { server, log: Rc::clone(&self.log), dies: matches!(act, Act::Die) };
        Ok(Launched { instance: Box::new(instance), startup })
    }

    fn replicas(&self) -> Result<Box<dyn Replicas + '_>> {
        bail!("there is one only")
    }
}

#[async_trait(?Send)]
impl Instance for Running {
    fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    fn processes(&self) -> Result<Processes> {
        Ok(Processes { service: vec![std::process::id().cast_signed()], engine: Vec::new() })
    }

    fn cgroup(&self) -> Option<&Cgroup> {
        None
    }

    async fn ended(&mut self) -> Result<Option<End>> {
        Ok(self.dies.then(|| End { cause: Cause::Signalled(9), words: String::new() }))
    }

    async fn stop(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.log.running.set(self.log.running.get() - 1);
    }
}

/// Keeps what it hears.
struct Heard {
    log: Rc<Log>,
    samples: Vec<Sample>,
    latencies: Vec<(Subject, u32, Phase, u64)>,
    record: Option<RunRecord>,
}

impl Observer for Heard {
    fn sample(&mut self, sample: &Sample) -> Result<()> {
        self.log.push(Event::Sampled(sample.subject.platform.clone(), sample.round, sample.position));
        self.samples.push(sample.clone());
        Ok(())
    }

    fn latencies(&mut self, load: &LoadName<'_>, latencies: &Histogram<u64>) -> Result<()> {
        self.latencies.push((load.subject.clone(), load.round, load.phase.clone(), latencies.len()));
        Ok(())
    }

    fn record(&mut self, record: &RunRecord) -> Result<()> {
        self.log.push(Event::Saved);
        self.record = Some(record.clone());
        Ok(())
    }

    fn progress(&mut self, _: &Progress) {}
}

/// A run of fakes.
struct Trial {
    subjects: Vec<(&'static str, Script, Vec<Group>)>,
    only: Vec<Group>,
    rounds: u32,
    time_limit_s: f64,
    starts_s: f64,
    warmup_steady: f64,
    /// Seconds of each load.
    load_s: f64,
}

impl Trial {
    /// Rounds of three fakes that do as these scripts say.
    fn of(rounds: u32, scripts: [Script; 3]) -> Self {
        let names = ["a", "b", "c"];
        let subjects = names.into_iter().zip(scripts).map(|(name, script)| (name, script, Vec::new())).collect();
        let only = vec![Group::Startup];
        Self { subjects, only, rounds, time_limit_s: 60.0, starts_s: 0.0, warmup_steady: 10.0, load_s: 0.02 }
    }

    fn run(&self, rule: &mut dyn StoppingRule) -> (RunRecord, Heard) {
        let (log, cancel) = (Rc::new(Log::default()), Cancel::default());
        let folder = tempfile::tempdir().unwrap();
        let context = Rc::new(RunContext {
            run: "trial".into(),
            layout: Layout::checkout(folder.path()),
            cpus: Cpus::detect().unwrap(),
            products: Products::default(),
            engine: Err("there is none".into()),
            cancel: cancel.clone(),
            pulse: Pulse::start(Vec::new()),
            notes: Notes::default(),
        });
        let scenario = scenario();
        let ready = self.subjects.iter().map(|(name, script, unavailable)| Ready {
            subject: Subject::new("null", name, "fake"),
            scenario: &scenario,
            target: Box::new(Fake {
                name: (*name).into(),
                log: Rc::clone(&log),
                launches: Cell::new(0),
                script: *script,
                cancel: cancel.clone(),
                unavailable: unavailable.clone(),
            }),
        });
        let (ready, versions) = (ready.collect(), BTreeMap::new());
        let prepared = Prepared { context, ready, failed: Vec::new(), versions };
        let mut plan = plan(&SUITES[0], &Choice { seed: 7, rounds: Some(self.rounds), ..Choice::default() }, &[]);
        plan.only.clone_from(&self.only);
        plan.subjects = prepared.ready.iter().map(|ready| ready.subject.clone()).collect();
        plan.reference = BTreeMap::from([("null".to_owned(), plan.subjects[0].clone())]);
        (plan.time_limit_s, plan.starts_s) = (self.time_limit_s, self.starts_s);
        plan.load.warmup_steady = self.warmup_steady;
        (plan.load.capacity_s, plan.load.open_s, plan.load.closed_s) = (self.load_s, self.load_s, self.load_s);
        let record = begin_with("trial", Vec::new(), plan, Host::default(), Provenance::default());
        let mut heard = Heard { log, samples: Vec::new(), latencies: Vec::new(), record: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let record = runtime.block_on(measure(&prepared, record, &[], &mut heard, rule)).unwrap();
        assert_eq!(heard.log.running.get(), 0, "all are gone when the run is over");
        (record, heard)
    }
}

/// One request that the null server answers rightly.
fn scenario() -> Scenario {
    let quick = Quick { get: "/".into(), url: Some("http://127.0.0.1:1".into()), ..Quick::default() };
    quick.service().unwrap().scenario
}

fn always(_: u32) -> Act {
    Act::Run
}

#[test]
fn each_round_has_the_order_of_the_seed_and_its_samples_are_safe_before_the_next_launch() {
    let (record, heard) = Trial::of(2, [always; 3]).run(&mut EveryRound);
    assert_eq!((record.state, record.failed.len()), (RunState::Complete, 0));
    let names = ["a", "b", "c"];
    let expected: Vec<&str> =
        [1, 2].iter().flat_map(|round| order(3, 7, *round).into_iter().map(|at| names[at])).collect();
    // The first three launches are those of the verification.
    assert_eq!(heard.log.launches()[3..], expected);
    let events = heard.log.events.borrow();
    let mut last: Option<&str> = None;
    for event in events.iter().skip_while(|event| **event != Event::Launched(expected[0].into())) {
        match event {
            Event::Launched(name) => last = Some(name),
            Event::Sampled(name, ..) => assert_eq!(last, Some(name.as_str())),
            Event::Saved => {}
        }
    }
    let first_round = heard.samples.iter().filter(|sample| sample.round == 1 && sample.phase == "total");
    let places: Vec<u32> = first_round.map(|sample| sample.position).collect();
    assert_eq!(places, [1, 2, 3]);
}

#[test]
fn what_starts_quickly_is_started_a_dozen_times_in_a_round_and_all_count_for_it() {
    let (record, heard) = Trial { starts_s: 5.0, ..Trial::of(3, [always; 3]) }.run(&mut EveryRound);
    assert_eq!((record.state, record.failed.len()), (RunState::Complete, 0));
    let of = |name: &str, round: u32| {
        let total = heard.samples.iter().filter(|sample| sample.phase == "total" && sample.round == round);
        total.filter(|sample| sample.subject.platform == name).count()
    };
    for name in ["a", "b", "c"] {
        assert_eq!(
            [1, 2, 3].map(|round| of(name, round)),
            [1, 12, 12],
            "{name}: the first round shows what a start takes"
        );
    }
    // The second round: three starts of the verification and three of the first are before it.
    let round = &heard.log.launches()[6..42];
    let has_all = |third: &[String]| ["a", "b", "c"].iter().all(|name| third.iter().any(|launched| launched == name));
    assert!(round.chunks(12).all(has_all), "{round:?}");
}

#[test]
fn a_subject_is_left_out_after_two_failures_in_a_row_and_a_success_between_them_forgives() {
    let stubborn: Script = |launch| if launch == 1 { Act::Run } else { Act::Fail };
    let moody: Script = |launch| if launch % 2 == 0 { Act::Fail } else { Act::Run };
    let (record, heard) = Trial::of(6, [always, stubborn, moody]).run(&mut EveryRound);
    assert_eq!(record.state, RunState::Complete);
    let launches = |name: &str| heard.log.launches().iter().filter(|launched| *launched == name).count();
    assert_eq!((launches("a"), launches("b"), launches("c")), (7, 3, 7));
    let failures = |name: &str| record.failed.iter().filter(|cell| cell.subject.platform == name).count();
    assert_eq!((failures("a"), failures("b"), failures("c")), (0, 2, 3));
    assert!(record.failed.iter().all(|cell| cell.reason.contains("it would not")), "{:?}", record.failed);
}

#[test]
fn one_that_cannot_be_verified_is_not_measured_and_one_that_dies_loses_its_round_only() {
    let never: Script = |_| Act::Fail;
    let once: Script = |launch| if launch == 2 { Act::Die } else { Act::Run };
    let (record, heard) = Trial::of(3, [always, never, once]).run(&mut EveryRound);
    let rounds = |name: &str| {
        let own = heard.samples.iter().filter(|sample| sample.subject.platform == name && sample.phase == "total");
        own.map(|sample| sample.round).collect::<Vec<_>>()
    };
    assert_eq!((rounds("a"), rounds("b"), rounds("c")), (vec![1, 2, 3], vec![], vec![2, 3]));
    let reasons: Vec<(&str, Option<u32>)> =
        record.failed.iter().map(|cell| (cell.subject.platform.as_str(), cell.round)).collect();
    assert_eq!(reasons, [("b", None), ("c", Some(1))]);
    assert!(
        record.failed[1].reason.contains("it died under measurement: it was killed"),
        "{}",
        record.failed[1].reason
    );
}

#[test]
fn no_round_begins_that_would_not_end_in_time() {
    let trial = Trial { time_limit_s: 0.0, ..Trial::of(50, [always; 3]) };
    let (record, heard) = trial.run(&mut EveryRound);
    assert_eq!(record.state, RunState::TimeSpent);
    assert_eq!(heard.samples.iter().map(|sample| sample.round).max(), Some(1));
}

#[test]
fn what_the_rule_calls_precise_is_measured_no_more() {
    struct Content;
    impl StoppingRule for Content {
        fn observe(&mut self, _: &Sample) {}

        fn rounds_wanted(&self, _: &Subject, _: Group) -> Option<usize> {
            Some(0)
        }
    }
    let (record, heard) = Trial::of(40, [always; 3]).run(&mut Content);
    assert_eq!(record.state, RunState::Complete);
    // Fewer rounds than six have no 95 % interval.
    assert_eq!(heard.samples.iter().map(|sample| sample.round).max(), Some(6));
    assert_eq!(record.converged.len(), 3);
}

#[test]
fn a_load_that_does_not_get_steady_is_told_and_its_latencies_are_kept() {
    let trial = Trial { only: vec![Group::Load], warmup_steady: -1.0, ..Trial::of(1, [always; 3]) };
    let (record, heard) = trial.run(&mut EveryRound);
    assert_eq!(record.failed, []);
    assert!(
        record.warnings.iter().any(|warning| warning.contains("not steady") && warning.contains("null/a/fake (2)"))
    );
    let kept: Vec<&str> = heard.latencies.iter().map(|(_, _, phase, _)| phase.name.as_str()).collect();
    assert_eq!(kept, ["open", "closed", "open", "closed", "open", "closed"]);
    assert!(heard.latencies.iter().all(|(_, round, _, requests)| *round == 1 && *requests > 0));
}

#[test]
fn what_a_subject_cannot_have_is_no_failure_and_not_measured() {
    let mut trial = Trial { only: vec![Group::Startup, Group::Memory], ..Trial::of(1, [always; 3]) };
    trial.subjects[1].2 = vec![Group::Startup, Group::Density];
    let (record, heard) = trial.run(&mut EveryRound);
    assert_eq!(record.failed, []);
    let unavailable: Vec<(&str, Group)> =
        record.unavailable.iter().map(|cell| (cell.subject.platform.as_str(), cell.group)).collect();
    assert_eq!(unavailable, [("b", Group::Startup)], "what is not asked for is not told of either");
    let groups = heard.samples.iter().filter(|sample| sample.subject.platform == "b").map(|sample| sample.metric.group);
    assert!(groups.clone().all(|group| group == Group::Memory) && groups.count() > 0);
}

#[test]
fn a_run_that_is_ended_keeps_what_it_has_in_every_phase() {
    // In the verification, and in the first and the second round.
    let verified: Script = |launch| if launch == 1 { Act::Hang } else { Act::Run };
    let first: Script = |launch| if launch == 2 { Act::Hang } else { Act::Run };
    let second: Script = |launch| if launch == 3 { Act::Hang } else { Act::Run };
    for (script, most_rounds) in [(verified, 0), (first, 1), (second, 2)] {
        let began = Instant::now();
        let (record, heard) = Trial::of(50, [always, script, always]).run(&mut EveryRound);
        assert_eq!((record.state, &record.failed), (RunState::Interrupted, &Vec::new()));
        assert_eq!(heard.record.as_ref().map(|saved| saved.state), Some(RunState::Interrupted));
        let rounds = heard.samples.iter().map(|sample| sample.round).max().unwrap_or(0);
        assert!(rounds <= most_rounds, "{rounds}");
        assert!(began.elapsed() < Duration::from_secs(30), "it went on");
    }
}

#[test]
fn a_run_that_is_ended_in_a_load_does_not_wait_for_its_end() {
    // In the search for the capacity, and in the loops of a round.
    let first: Script = |launch| if launch == 1 { Act::EndSoon } else { Act::Run };
    let second: Script = |launch| if launch == 2 { Act::EndSoon } else { Act::Run };
    for (script, load_s) in [(first, 300.0), (second, 0.5)] {
        let mut trial = Trial { only: vec![Group::Load], load_s, ..Trial::of(1000, [always; 3]) };
        trial.subjects.truncate(1);
        trial.subjects[0].1 = script;
        let (record, heard) = trial.run(&mut EveryRound);
        assert_eq!((record.state, &record.failed), (RunState::Interrupted, &Vec::new()));
        // Of the loop that was cut short nothing counts.
        assert!(heard.samples.iter().all(|sample| sample.round == 0), "{:?}", heard.samples);
    }
}
