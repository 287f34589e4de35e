//! What a platform makes of a workload: something that can be launched, and what runs then.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use async_trait::async_trait;
use nix::unistd::Uid;
use tare_model::{ArtifactRecord, Group, Subject};

use super::{End, Entry, Replicas, RunContext, Startup};
use crate::sys::cgroup::Cgroup;
use crate::sys::unprivileged::{NOBODY, is_open_to_nobody};
use crate::workload::{Probe, Workload};

/// A subject that is ready to be launched.
#[async_trait(?Send)]
pub trait Target {
    /// What was built or brought for it.
    fn artifacts(&self) -> Vec<ArtifactRecord>;

    /// Each setting that moves a number.
    fn settings(&self) -> BTreeMap<String, String>;

    /// What it was granted beyond the hardened default, because its file asks for it.
    fn grants(&self) -> Vec<String> {
        Vec::new()
    }

    /// The families of metrics of which it can have no figure, and why.
    fn unavailable(&self) -> Vec<(Group, String)> {
        Vec::new()
    }

    /// The phases of the metric `size` with their bytes.
    fn sizes(&self) -> Result<Vec<(&'static str, u64)>>;

    /// Launches it with nothing of it running before, up to its first right answer.
    async fn launch(&self) -> Result<Launched>;

    /// Deploys it into an engine that already runs; `None` where that is the same as [`Target::launch`].
    async fn deploy(&self) -> Result<Option<Deployed>> {
        Ok(None)
    }

    /// Instances of it beside each other, none at first: in one engine where it has one of its own.
    fn replicas(&self) -> Result<Box<dyn Replicas + '_>>;
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

    /// Returns how it ended; `None` while it runs.
    async fn ended(&mut self) -> Result<Option<End>>;

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

/// What a target keeps of its workload.
pub(super) struct Common {
    pub(super) context: Rc<RunContext>,
    pub(super) subject: Subject,
    pub(super) env: BTreeMap<String, String>,
    pub(super) probe: Probe,
    /// How long a start may take before it counts as failed.
    pub(super) start_timeout: Duration,
    /// What its variant keeps of its memory, where the file sets it.
    pub(super) memory_limit: Option<u64>,
    pub(super) pids_limit: u32,
    /// Whether its processes need this program's own user: where its file asks for root, or grants folders.
    needs_user: bool,
}

impl Common {
    pub(super) fn new(context: &Rc<RunContext>, workload: Workload<'_>, entry: &Entry) -> Self {
        let (limits, needs) = (workload.implementation.limits, &workload.implementation.needs);
        Self {
            context: Rc::clone(context),
            subject: workload.subject(&entry.id()),
            env: workload.env(),
            probe: Probe::new(&workload.service.scenario),
            start_timeout: Duration::from_secs_f64(limits.start_s),
            memory_limit: limits.memory_bytes(),
            pids_limit: limits.pids,
            needs_user: needs.user.is_some() || !needs.folders.is_empty(),
        }
    }

    /// The time at which a start that begins now counts as failed.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.start_timeout
    }

    /// Whether a process that needs these files runs as nobody, as a container does: where this program is root, and nobody may
    /// read them.
    pub(super) fn is_nobody<'a>(&self, files: impl IntoIterator<Item = &'a Path>) -> bool {
        Uid::effective().is_root() && !self.needs_user && files.into_iter().all(is_open_to_nobody)
    }

    /// The same as a setting.
    pub(super) fn user<'a>(&self, files: impl IntoIterator<Item = &'a Path>) -> String {
        if self.is_nobody(files) { NOBODY.to_string() } else { format!("{}, as this program", Uid::effective()) }
    }

    /// The environment of a process of the workspace's.
    pub(super) fn env_listening_on(&self, addr: &str) -> BTreeMap<String, String> {
        let mut env = self.env.clone();
        env.insert("LISTEN_ADDR".into(), addr.into());
        env
    }

    /// Where the standard error of its processes goes.
    pub(super) fn log(&self) -> PathBuf {
        self.context.layout.logs().join(format!("{}.log", self.subject.slug()))
    }
}
