//! Everything before the first measurement: cleaning up after dead runs, building, making subjects ready.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tare_model::{FailedCell, Group, Subject, SubjectRecord, UnavailableCell};

use super::checks::check_platforms;
use super::intruder::{INTRUDER, is_probed, workspace};
use super::observer::{Observer, Progress};
use super::plan::{Chosen, is_named};
use crate::artifacts::{Product, Products, Wanted, build};
use crate::engine::{Engine, EngineError, RunOwner, Swept};
use crate::platforms::{DOCKER, Entry, Notes, RunContext, Target, private_files, remove_leftovers, variants};
use crate::sys::affinity::Cpus;
use crate::sys::bounded::cut;
use crate::sys::cancel::Cancel;
use crate::sys::owner::{Owner, end_descendants, end_own, me, sweep_processes};
use crate::sys::pulse::Pulse;
use crate::sys::temporary;
use crate::sys::tree::adopt_orphans;
use crate::workload::{Layout, Scenario, Service};

/// A subject that can be launched.
pub struct Ready<'a> {
    /// The subject.
    pub subject: Subject,
    /// The requests and right answers of its service.
    pub scenario: &'a Scenario,
    /// What launches it.
    pub target: Box<dyn Target>,
}

/// What the preparation gave.
pub struct Prepared<'a> {
    /// What all subjects share.
    pub context: Rc<RunContext>,
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
            subject: ready.subject.clone(),
            artifacts: ready.target.artifacts(),
            settings: ready.target.settings(),
            grants: ready.target.grants(),
        };
        self.ready.iter().map(record).collect()
    }

    /// Notes other containers on the engine, with which those that are measured share memory.
    ///
    /// # Errors
    /// The engine refuses to list them.
    pub async fn note_others(&self) -> Result<()> {
        let is_of_engine = self.ready.iter().any(|ready| ready.subject.platform == DOCKER);
        if let (Ok(engine), true) = (&self.context.engine, is_of_engine) {
            let others = engine.others().await?;
            if !others.is_empty() {
                self.context.notes.warn(others_run(&others));
            }
        }
        Ok(())
    }

    /// What of these families cannot be measured of the subjects as they are.
    pub fn unavailable(&self, wanted: &[Group]) -> Vec<UnavailableCell> {
        let of = |ready: &Ready<'_>| {
            let subject = ready.subject.clone();
            let cell = move |(group, reason)| UnavailableCell { subject: subject.clone(), group, reason };
            ready.target.unavailable().into_iter().filter(|(group, _)| wanted.contains(group)).map(cell).collect()
        };
        self.ready.iter().flat_map(|ready| -> Vec<UnavailableCell> { of(ready) }).collect()
    }
}

/// Ends and removes what dead runs left behind; says what that was, and what is left alone since its owner cannot be seen.
///
/// # Errors
/// When the engine refuses to list or remove containers, or the kernel to remove their cgroups.
pub async fn sweep(layout: &Layout, engine: Option<&Engine>) -> Result<Swept> {
    let mut swept = Swept::default();
    let processes = sweep_processes();
    if processes > 0 {
        swept.removed.push(format!("{processes} processes"));
    }
    swept.removed.extend(remove_leftovers(layout, Owner::is_dead)?);
    let folders = temporary::remove(Owner::is_dead) + temporary::remove_in(&private_files(layout), Owner::is_dead);
    if folders > 0 {
        swept.removed.push(format!("{folders} temporary folders"));
    }
    if let Some(engine) = engine {
        let containers = engine.sweep_dead().await?;
        let named = |names: Vec<String>| names.into_iter().map(|name| format!("container {name}"));
        swept.removed.extend(named(containers.removed));
        swept.unknown.extend(named(containers.unknown));
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
    adopt_orphans()?;
    fs_err::create_dir_all(layout.logs())?;
    let engine = Engine::connect().await;
    let swept = sweep(layout, engine.as_ref().ok()).await?;
    for what in swept.removed {
        observer.progress(&Progress::step(format!("removed what a dead run had left: {what}")));
    }
    let notes = Notes::default();
    let wanted = wanted(layout, chosen);
    let products = build(layout, &wanted, |what| observer.progress(&Progress::step(format!("build: {what}")))).await?;
    let mut versions = BTreeMap::new();
    if let Ok(engine) = &engine {
        versions = engine.info().await?.versions();
    }
    // Of an engine whose processes cannot be seen nothing is known.
    let daemons = engine.as_ref().ok().and_then(|engine| engine.daemons().ok());
    let daemons = daemons.map(|daemons| [daemons.engine, daemons.containerd].concat());
    let context = Rc::new(RunContext {
        run: run.into(),
        layout: layout.clone(),
        cpus,
        products,
        engine: engine.map_err(|error| error.to_string()),
        cancel: cancel.clone(),
        pulse: Pulse::start(daemons.unwrap_or_default()),
        notes,
    });
    let mut prepared = Prepared { context, ready: Vec::new(), failed: Vec::new(), versions };
    for chosen in chosen {
        let subject = chosen.subject();
        observer.progress(&Progress::step(format!("prepare {subject}")));
        match chosen.variant.prepare(&prepared.context, chosen.workload).await {
            Ok(target) => {
                prepared.ready.push(Ready { subject, scenario: &chosen.workload.service.scenario, target });
            }
            Err(error) => prepared.failed.push(failed(&subject, None, None, &error)),
        }
    }
    Ok(prepared)
}

/// What other containers mean for the figures.
fn others_run(names: &[String]) -> String {
    const NAMED: usize = 5;
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "other containers run on this engine ({}{more}): memory that the measured ones share with them, of the engine and of \
         the same image, is counted in part only, so that containers look smaller than they are alone",
        names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ")
    )
}

/// The artifacts of all chosen variants, and for the intruder those of the variants that it probes and of its control.
fn wanted<'a>(layout: &Layout, chosen: &[Chosen<'a>]) -> Wanted<'a> {
    let mut wanted = Wanted::together(built_in(layout));
    for chosen in chosen {
        for product in chosen.variant.takes(chosen.workload.implementation).unwrap_or_default() {
            wanted.add(product, chosen.workload);
            if is_probed(chosen) {
                wanted.add_folder(product, INTRUDER);
                // The plain process is the control of probes, chosen or not.
                wanted.add_folder(Product::StaticBinary, INTRUDER);
            }
        }
    }
    wanted
}

/// The folders of the services that the workspace builds.
fn built_in(layout: &Layout) -> Vec<String> {
    // A checkout without a usable service has none to build together; whoever is asked for is built alone.
    let services = layout.services().map(|(services, _)| services).unwrap_or_default();
    services.into_iter().filter(Service::is_built_in).map(|service| service.name).collect()
}

/// Builds what an archive of the program holds: of the services that the workspace builds, and of the hosts, what these
/// platforms (or variants, as `platform/variant`) take; of all of them where none is named.
///
/// # Errors
/// A name that is in no registry, no cargo, or something that does not build.
pub async fn build_all(layout: &Layout, platforms: &[String], mut progress: impl FnMut(&str)) -> Result<Products> {
    check_platforms(platforms)?;
    let folders = built_in(layout);
    let mut wanted = Wanted::together(folders.clone());
    let any = workspace("");
    let is_wanted = |entry: &Entry| platforms.is_empty() || platforms.iter().any(|name| is_named(name, entry));
    for (_, variant) in variants().filter(|(_, variant)| is_wanted(variant.entry())) {
        for product in variant.takes(&any).unwrap_or_default() {
            for folder in folders.iter().map(String::as_str).chain([INTRUDER]) {
                wanted.add_folder(product, folder);
            }
        }
    }
    // The control of every probe of isolation.
    wanted.add_folder(Product::StaticBinary, INTRUDER);
    let products = build(layout, &wanted, &mut progress).await?;
    let failures = products.failures().map(|(product, of, reason)| format!("{of} ({}): {reason}", product.slug()));
    let failures: Vec<String> = failures.collect();
    ensure!(failures.is_empty(), "not everything could be built: {}", failures.join("; "));
    Ok(products)
}

/// The longest reason on a record, in bytes: what a subject answers or an engine says may be in it.
const LONGEST_REASON: usize = 4000;

/// The record of what could not be measured.
pub fn failed(subject: &Subject, group: Option<Group>, round: Option<u32>, error: &anyhow::Error) -> FailedCell {
    let reason = cut(&format!("{error:#}"), LONGEST_REASON);
    FailedCell { subject: subject.clone(), group, round, reason }
}

/// How long an engine is waited for when the user has ended the run.
const PATIENCE_IN_HASTE: Duration = Duration::from_millis(700);

/// Ends and removes what a run of this process still has: for the end of a run, also of one that the user ended, for which an
/// engine that does not answer is not waited for.
///
/// # Errors
/// When the engine or the kernel refuses. What is left then, the next start removes.
pub async fn clear(layout: &Layout, run: &str, cancel: &Cancel) -> Result<()> {
    end_own();
    end_descendants();
    let removed = remove_leftovers(layout, |owner| owner == me());
    let connected =
        if cancel.is_set() { Engine::connect_within(PATIENCE_IN_HASTE).await } else { Engine::connect().await };
    match connected {
        Ok(engine) => {
            engine.remove_run(&RunOwner::this_process(run)).await.context("cannot remove the run's containers")?;
        }
        Err(error @ EngineError::NotAnswering { .. }) => {
            return Err(error).context("containers of the run may be left");
        }
        // There was none.
        Err(_) => {}
    }
    removed.map(drop)
}
