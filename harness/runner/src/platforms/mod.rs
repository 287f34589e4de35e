//! The platforms, one file each, and their registry. To add one: a file here and a line in [`PLATFORMS`].

mod colony;
mod docker;
mod isolation;
mod native;
mod oci;
mod wasm;
mod wasmer;
mod wasmtime;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use tare_model::{ArtifactRecord, Subject};

pub use self::colony::Colony;
use self::colony::Separate;
pub use self::isolation::Isolation;

use crate::affinity::Cpus;
use crate::build::{Product, Products};
use crate::cancel::Cancel;
use crate::engine::{Cgroup, Engine};
use crate::layout::{Layout, Service};
use crate::preflight::Finding;
use crate::probe::Probe;

/// Every platform, in the order in which reports show them.
pub const PLATFORMS: &[&dyn Platform] =
    &[&native::Native, &wasmtime::Wasmtime, &wasmer::Wasmer, &docker::Docker, &oci::Oci];

/// The subject to which the others of its service are compared.
pub const REFERENCE: (&str, &str) = (native::NAME, native::VARIANT);

/// The most memory of a container in bytes: several times what any of the services needs.
const MEMORY_LIMIT: u64 = 512 << 20;

/// The most processes and threads of a container.
pub(crate) const PIDS_LIMIT: u32 = 256;

/// The same, measured once more in each round: the ratio of the two is the noise of the run.
pub const NOISE: (&str, &str) = (native::NAME, native::AGAIN);

/// A stated setting of a platform.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// Its name in files and on the command line.
    pub name: &'static str,
    /// One sentence for `list`.
    pub summary: &'static str,
    /// What has to be built for it.
    pub products: &'static [Product],
    /// What it is there for.
    pub role: Role,
    /// The variant from which it differs in one thing; nothing where there is none.
    pub beside: Option<Beside>,
}

/// A variant that differs from another in one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// The other, as `platform/variant`.
    pub setting: &'static str,
    /// The one thing.
    pub what: &'static str,
}

/// Both sides by their code and not their packaging: what the worth of single settings is held against.
pub const SIDES: (&str, &str) = ("wasmtime/aot", "docker/scratch-glibc");

/// What the defaults of both sides give: the component as it is built, compiled when it is loaded; the image on the usual base
/// and the engine's default network.
pub const USUAL: (&str, &str) = ("wasmtime/jit", "docker/debian");

/// What a variant is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The best or the usual case of its side.
    Headline,
    /// A setting whose worth is of interest.
    Setting,
    /// To check a comparison, not to be chosen: what it shows, and what it does not.
    Control(&'static str),
    /// The reference measured once more: what differs between the two is noise.
    Noise,
}

/// What is compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A component on a Wasm runtime.
    Wasm,
    /// A container, whatever starts it.
    Container,
}

/// What runs a service.
#[async_trait(?Send)]
pub trait Platform: Sync {
    /// Its name in files and on the command line.
    fn name(&self) -> &'static str;

    /// One sentence for `list`.
    fn summary(&self) -> &'static str;

    /// The side of the comparison that it is of; nothing for what both are held against.
    fn side(&self) -> Option<Side> {
        None
    }

    /// Its variants, best case first.
    fn variants(&self) -> &'static [Variant];

    /// A variant's full name, `platform/variant`.
    fn setting(&self, variant: &Variant) -> String {
        format!("{}/{}", self.name(), variant.name)
    }

    /// What a variant keeps a service from.
    fn isolation(&self, variant: &Variant) -> Isolation;

    /// What the platform needs of the machine, and whether it is there.
    async fn preflight(&self) -> Vec<Finding>;

    /// Makes a subject ready to be launched any number of times: what cargo does not build is built here.
    async fn prepare(&self, world: &Rc<World>, service: &Service, variant: &Variant) -> Result<Box<dyn Target>>;
}

/// What all platforms share in a run.
pub struct World {
    /// The run's name.
    pub run: String,
    /// Where things are.
    pub layout: Layout,
    /// Which CPUs are whose.
    pub cpus: Cpus,
    /// What cargo built.
    pub products: Products,
    /// The container engine, or why there is none.
    pub engine: Result<Engine, String>,
    /// Turns true when the user ends the run.
    pub cancel: Cancel,
    /// How long a start may take before it counts as failed.
    pub start_timeout: Duration,
    /// Conditions of the whole run that a reader must know.
    pub warnings: RefCell<Vec<String>>,
    /// The generator's own lateness, the worst of each subject with which it was late.
    pub lateness: RefCell<BTreeMap<Subject, Duration>>,
    /// The loops before which the load did not become steady, by subject.
    pub unsteady: RefCell<BTreeMap<Subject, usize>>,
}

/// A subject that is ready to be launched.
#[async_trait(?Send)]
pub trait Target {
    /// What was built for it.
    fn artifacts(&self) -> Vec<ArtifactRecord>;

    /// Each setting that moves a number.
    fn settings(&self) -> BTreeMap<String, String>;

    /// The phases of the metric `size` with their bytes.
    fn sizes(&self) -> Result<Vec<(&'static str, u64)>>;

    /// Launches it with nothing of it running before, up to its first right answer.
    async fn launch(&self) -> Result<Launched>;

    /// Deploys it into an engine that already runs; nothing where that is the same as [`Target::launch`].
    async fn deploy(&self) -> Result<Option<Deployed>> {
        Ok(None)
    }

    /// Instances of it beside each other, none at first: in one engine where it has one of its own.
    fn colony(&self) -> Result<Box<dyn Colony + '_>>;
}

/// A launch that ended in a right answer.
pub struct Launched {
    /// What runs now.
    pub instance: Box<dyn Instance>,
    /// How long it took.
    pub startup: Startup,
}

/// A deployment into a running engine that ended in a right answer; the engine has been stopped again.
pub struct Deployed {
    /// How long it took.
    pub startup: Startup,
    /// The memory of the engine before the deployment, as proportional set size in bytes.
    pub empty_engine_bytes: u64,
}

/// One running subject. Dropping it ends its processes, by force where they do not end by themselves within two seconds; what
/// an engine runs stays, until [`crate::clear`].
#[async_trait(?Send)]
pub trait Instance {
    /// Where it answers.
    fn addr(&self) -> SocketAddr;

    /// The processes that it consists of now.
    fn processes(&self) -> Result<Processes>;

    /// Its cgroup, where it has one of its own.
    fn cgroup(&self) -> Option<&Cgroup>;

    /// Says how it ended, if it has.
    async fn ended(&mut self) -> Result<Option<String>>;

    /// Ends it and takes away what is left of it.
    async fn stop(self: Box<Self>) -> Result<()>;
}

/// The processes of an instance, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Processes {
    /// Those that run the service.
    pub service: Vec<i32>,
    /// Those that the engine runs for this instance beside it: shim, port proxies.
    pub engine: Vec<i32>,
}

/// The times of a start, in nanoseconds of the monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Startup {
    began_ns: u64,
    /// The end of each phase, in order of time; the last is the end of the first right answer.
    marks: Vec<(String, u64)>,
}

impl Startup {
    /// From the time of the wish to launch, the ends of phases as they were heard, and the end of the first right answer.
    ///
    /// A phase that was heard to end after the answer (a container engine may return late) ends with the answer.
    pub fn new(began_ns: u64, mut marks: Vec<(String, u64)>, answered_ns: u64) -> Self {
        for mark in &mut marks {
            mark.1 = mark.1.clamp(began_ns, answered_ns);
        }
        marks.sort_by_key(|mark| mark.1);
        marks.push(("first_answer".into(), answered_ns));
        Self { began_ns, marks }
    }

    /// From the wish to launch to the end of the first right answer, in nanoseconds.
    pub fn total_ns(&self) -> u64 {
        self.marks.last().map_or(0, |mark| mark.1 - self.began_ns)
    }

    /// The phases with their lengths in nanoseconds; they add up to the total.
    pub fn phases(&self) -> Vec<(String, u64)> {
        let begins = std::iter::once(self.began_ns).chain(self.marks.iter().map(|mark| mark.1));
        self.marks.iter().zip(begins).map(|((name, end), begin)| (name.clone(), end - begin)).collect()
    }
}

/// What a target keeps of its service.
struct Common {
    world: Rc<World>,
    subject: Subject,
    env: BTreeMap<String, String>,
    probe: Probe,
}

impl Common {
    fn new(world: &Rc<World>, service: &Service, platform: &str, variant: &Variant) -> Self {
        Self {
            world: Rc::clone(world),
            subject: Subject::new(&service.name, platform, variant.name),
            env: service.scenario.env.clone(),
            probe: Probe::new(&service.scenario),
        }
    }

    /// The environment of the service's process.
    fn env_listening_on(&self, addr: &str) -> BTreeMap<String, String> {
        let mut env = self.env.clone();
        env.insert("LISTEN_ADDR".into(), addr.into());
        env
    }

    /// Where the standard error of its processes goes.
    fn log(&self) -> PathBuf {
        self.world.layout.logs().join(format!("{}.log", self.subject.slug()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phases_of_a_start_add_up() {
        let marks = vec![("main".to_owned(), 120), ("listen".to_owned(), 150)];
        let startup = Startup::new(100, marks, 175);
        assert_eq!(startup.total_ns(), 75);
        let phases = startup.phases();
        assert_eq!(phases, [("main".into(), 20), ("listen".into(), 30), ("first_answer".into(), 25)]);
    }

    #[test]
    fn a_phase_heard_late_ends_with_the_answer() {
        let marks = vec![("start".to_owned(), 190), ("create".to_owned(), 110)];
        let startup = Startup::new(100, marks, 150);
        assert_eq!(startup.phases(), [("create".into(), 10), ("start".into(), 40), ("first_answer".into(), 0)]);
        assert_eq!(startup.total_ns(), 50);
    }

    #[test]
    fn names_of_platforms_and_variants_are_unique() {
        let names: Vec<_> = PLATFORMS
            .iter()
            .flat_map(|platform| platform.variants().iter().map(|variant| (platform.name(), variant.name)))
            .collect();
        assert!(names.contains(&REFERENCE) && names.contains(&NOISE));
        assert!(names.iter().all(|name| names.iter().filter(|other| *other == name).count() == 1));
        let known: Vec<String> = names.iter().map(|(platform, variant)| format!("{platform}/{variant}")).collect();
        let beside = PLATFORMS.iter().flat_map(|platform| platform.variants()).filter_map(|variant| variant.beside);
        let others: Vec<&str> =
            beside.map(|beside| beside.setting).chain([SIDES.0, SIDES.1, USUAL.0, USUAL.1]).collect();
        assert!(others.iter().all(|other| known.iter().any(|name| name == other)), "{others:?}");
    }
}
