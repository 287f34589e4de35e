//! Everything before the first measurement: cleaning up after dead runs, building, making subjects ready.

pub mod left;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tare_model::{FailedCell, Group, Subject, SubjectRecord};

use crate::affinity::Cpus;
use crate::build::{Product, Wanted, build};
use crate::cancel::Cancel;
use crate::engine::Engine;
use crate::isolation::{INTRUDER, is_probed};
use crate::layout::Layout;
use crate::observer::{Observer, Progress};
use crate::owner::{me, sweep_processes};
use crate::plan::Chosen;
use crate::platforms::{Role, Target, World};

/// How long a start may take before it counts as failed.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A subject that can be launched.
pub struct Ready<'a> {
    /// The subject.
    pub chosen: Chosen<'a>,
    /// What launches it.
    pub target: Box<dyn Target>,
}

/// What the preparation gave.
pub struct Prepared<'a> {
    /// What all subjects share.
    pub world: Rc<World>,
    /// The subjects that can be launched, in the order of choice.
    pub ready: Vec<Ready<'a>>,
    /// Those that cannot, and why.
    pub failed: Vec<FailedCell>,
    /// Versions of the engine, where one is used.
    pub versions: BTreeMap<String, String>,
}

impl Prepared<'_> {
    /// The records of the subjects that can be launched.
    pub fn records(&self) -> Vec<SubjectRecord> {
        let record = |ready: &Ready<'_>| SubjectRecord {
            subject: ready.chosen.subject(),
            artifacts: ready.target.artifacts(),
            settings: ready.target.settings(),
        };
        self.ready.iter().map(record).collect()
    }
}

/// What the controls among the subjects are for, by `platform/variant`.
pub fn controls(chosen: &[Chosen<'_>]) -> BTreeMap<String, String> {
    let text = |chosen: &Chosen<'_>| match chosen.variant.role {
        Role::Control(text) => Some((chosen.subject().setting(), text.to_owned())),
        Role::Headline | Role::Setting | Role::Noise => None,
    };
    chosen.iter().filter_map(text).collect()
}

/// Ends and removes what dead runs left behind; tells of it.
///
/// # Errors
/// When the engine refuses to list or remove containers, or the kernel to remove their cgroups.
pub async fn sweep(layout: &Layout, engine: Option<&Engine>) -> Result<Vec<String>> {
    let mut swept: Vec<String> = Vec::new();
    let processes = sweep_processes();
    if processes > 0 {
        swept.push(format!("{processes} processes"));
    }
    swept.extend(left::remove(layout, |owner| !owner.is_alive())?);
    if let Some(engine) = engine {
        swept.extend(engine.sweep_dead().await?.into_iter().map(|name| format!("container {name}")));
    }
    Ok(swept)
}

/// Builds and makes ready, and builds what probes their isolation. A subject for which it fails costs
/// only itself.
///
/// # Errors
/// What concerns all subjects: no cargo, no right to pin, an engine that breaks off.
pub async fn prepare<'a>(
    run: &str,
    layout: &Layout,
    chosen: &[Chosen<'a>],
    cancel: &Cancel,
    observer: &mut dyn Observer,
) -> Result<Prepared<'a>> {
    let cpus = Cpus::detect()?;
    fs_err::create_dir_all(layout.logs())?;
    let engine = Engine::connect().await;
    for what in sweep(layout, engine.as_ref().ok()).await? {
        observer.progress(&Progress::step(format!("removed what a dead run had left: {what}")));
    }
    let wanted = wanted(layout, chosen)?;
    let products = build(layout, &wanted, |what| observer.progress(&Progress::step(format!("build: {what}")))).await?;
    let mut versions = BTreeMap::new();
    if let Ok(engine) = &engine {
        versions = engine.info().await?.versions();
    }
    let world = Rc::new(World {
        run: run.into(),
        layout: layout.clone(),
        cpus,
        products,
        engine: engine.map_err(|error| error.to_string()),
        cancel: cancel.clone(),
        start_timeout: START_TIMEOUT,
        warnings: RefCell::default(),
        lateness: RefCell::default(),
        unsteady: RefCell::default(),
    });
    let mut prepared = Prepared { world, ready: Vec::new(), failed: Vec::new(), versions };
    for chosen in chosen {
        let subject = chosen.subject();
        observer.progress(&Progress::step(format!("prepare {subject}")));
        match chosen.platform.prepare(&prepared.world, chosen.service, chosen.variant).await {
            Ok(target) => prepared.ready.push(Ready { chosen: *chosen, target }),
            Err(error) => prepared.failed.push(failed(chosen, None, None, &error)),
        }
    }
    Ok(prepared)
}

/// The products of all chosen variants, and for the intruder those of the variants that it probes and of its control. They
/// are built for all services: which features their common dependencies get, and so their bytes, depends on what is built together.
fn wanted(layout: &Layout, chosen: &[Chosen<'_>]) -> Result<Wanted> {
    let services: BTreeSet<String> = layout.services()?.into_iter().map(|service| service.name).collect();
    let mut wanted = Wanted::new();
    for chosen in chosen {
        for product in chosen.variant.products {
            let names = wanted.entry(*product).or_insert_with(|| services.clone());
            if is_probed(chosen.variant) {
                names.insert(INTRUDER.to_owned());
            }
        }
    }
    // The plain process is the control of probes, chosen or not.
    wanted.entry(Product::StaticBinary).or_insert_with(|| services.clone()).insert(INTRUDER.to_owned());
    Ok(wanted)
}

/// The record of what could not be measured.
pub fn failed(chosen: &Chosen<'_>, group: Option<Group>, round: Option<u32>, error: &anyhow::Error) -> FailedCell {
    FailedCell { subject: chosen.subject(), group, round, reason: format!("{error:#}") }
}

impl World {
    /// The container engine.
    ///
    /// # Errors
    /// Why there is none, with the remedy.
    pub fn engine(&self) -> Result<&Engine> {
        match &self.engine {
            Ok(engine) => Ok(engine),
            Err(reason) => bail!("no container engine can be used: {reason}"),
        }
    }

    /// The CPUs that the load generator may keep to itself; none where it must share.
    pub fn generator_cpus(&self) -> Vec<usize> {
        if self.cpus.are_separate() { self.cpus.generator.clone() } else { Vec::new() }
    }

    /// Notes a condition of the whole run that a reader must know; the same one is noted once.
    pub fn warn(&self, warning: impl Into<String>) {
        let warning = warning.into();
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// Notes that the load generator was late by itself with a subject.
    pub fn note_lateness(&self, subject: &Subject, late: Duration) {
        let mut lateness = self.lateness.borrow_mut();
        let worst = lateness.entry(subject.clone()).or_default();
        *worst = late.max(*worst);
    }

    /// Notes that the load before a loop of a subject did not become steady.
    pub fn note_unsteady(&self, subject: &Subject) {
        *self.unsteady.borrow_mut().entry(subject.clone()).or_default() += 1;
    }

    /// The conditions of the run that a reader must know.
    pub fn all_warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.borrow().clone();
        let late: Vec<String> = (self.lateness.borrow().iter())
            .map(|(subject, late)| format!("{subject} ({:.1} ms)", late.as_secs_f64() * 1e3))
            .collect();
        let unsteady: Vec<String> =
            self.unsteady.borrow().iter().map(|(subject, loops)| format!("{subject} ({loops})")).collect();
        if !unsteady.is_empty() {
            warnings.push(format!(
                "before some loops the load was not steady even after the longest warm-up; these subjects, with the number of \
                 such loops, may have been measured before they were at their best: {}",
                unsteady.join(", ")
            ));
        }
        if !late.is_empty() {
            warnings.push(format!(
                "something kept the load generator from sending in time; at its 99th percentile it was late with these, \
                 whose open-loop latencies may be too high by as much: {}",
                late.join(", ")
            ));
        }
        warnings
    }
}

/// Removes the containers that a run of this process still has: for the end of a run, also of one that was cut short.
///
/// # Errors
/// When the engine or the kernel refuses.
pub async fn clear(run: &str) -> Result<()> {
    let removed = left::remove(&Layout::find()?, |owner| owner == me());
    if let Ok(engine) = Engine::connect().await {
        let owner = crate::engine::Owner::this_process(run)?;
        engine.remove_run(&owner).await.context("cannot remove the run's containers")?;
    }
    removed.map(drop)
}
