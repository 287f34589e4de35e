//! The service as a plain process: the floor, and the reference of every ratio.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;
use tare_model::{ArtifactRecord, Role};

use super::private::Private;
use super::process::{Process, Program};
use super::{
    Common, End, Entry, Instance, Isolation, Launched, Platform, Processes, Replicas, RunContext, Separate, Startup,
    Target, Variant,
};
use crate::artifacts::{Product, artifact, compressed_size, file_size};
use crate::sys::affinity;
use crate::sys::cgroup::Cgroup;
use crate::workload::{Given, GivenProgram, Implementation, Source, Workload};

mod foreign;

use self::foreign::ForeignTarget;

const NAME: &str = "native";

/// The plain process.
pub const PROCESS: Entry =
    Entry::new(NAME, "process", "a plain process: of the workspace, the binary of docker/scratch-glibc");

/// The same once more.
pub const AGAIN: Entry = Entry {
    role: Role::Noise,
    ..Entry::new(NAME, "again", "the same once more in each round: what differs between the two is noise")
};

/// The platform.
pub struct Native;

/// A plain process, in one of two roles.
struct Plain(Entry);

#[async_trait(?Send)]
impl Platform for Native {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a plain process: the floor and the reference"
    }

    fn variants(&self) -> &'static [&'static dyn Variant] {
        &[&Plain(PROCESS), &Plain(AGAIN)]
    }
}

#[async_trait(?Send)]
impl Variant for Plain {
    fn entry(&self) -> &Entry {
        &self.0
    }

    fn takes(&self, implementation: &Implementation) -> Option<Vec<Product>> {
        match &implementation.source {
            Source::Workspace { .. } => Some(vec![Product::StaticBinary]),
            Source::Given(given) => given.program.as_ref().map(|_| vec![Product::GivenProgram]),
            Source::Running(_) => None,
        }
    }

    fn isolation(&self) -> Isolation {
        Isolation::NONE
    }

    async fn prepare(&self, context: &Rc<RunContext>, workload: Workload<'_>) -> Result<Box<dyn Target>> {
        let common = Common::new(context, workload, &self.0);
        if let Some(Given { folder, port, program: Some(program), .. }) = workload.given() {
            context.products.check(Product::GivenProgram, &workload.to_string())?;
            let GivenProgram { command, .. } = program;
            return Ok(Box::new(ForeignTarget::new(common, folder, command, *port)?));
        }
        let binary = context.products.file(Product::StaticBinary, &workload.to_string())?.to_owned();
        let private = Private::new(&context.layout)?;
        let run = private.copy(&binary)?;
        Ok(Box::new(NativeTarget { common, binary, run, _private: private }))
    }
}

/// A service of the workspace.
struct NativeTarget {
    common: Common,
    binary: PathBuf,
    /// A copy of it, which is what is run.
    run: PathBuf,
    /// Holds the copy.
    _private: Private,
}

#[async_trait(?Send)]
impl Target for NativeTarget {
    fn artifacts(&self) -> Vec<ArtifactRecord> {
        let name = self.common.context.layout.relative(&self.binary);
        artifact("binary", name, &self.binary).into_iter().collect()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("link".into(), "static, glibc".into()),
            ("user".into(), self.common.user([self.run.as_path()])),
            ("cpus".into(), affinity::list(&self.common.context.cpus.subject)),
        ])
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        sizes(&self.binary)
    }

    async fn launch(&self) -> Result<Launched> {
        let Common { context, probe, .. } = &self.common;
        let deadline = self.common.deadline();
        let program = Program {
            path: &self.run,
            args: Vec::new(),
            env: self.common.env_listening_on("127.0.0.1:0"),
            folder: None,
            commands: false,
            as_nobody: self.common.is_nobody([self.run.as_path()]),
            log: self.common.log(),
        };
        let (mut process, began) = Process::start(program, &context.cpus, &context.cancel)?;
        let (addr, marks) = process.listening(deadline, &context.cancel)?;
        let answered = probe.ask(addr, deadline, &mut || context.cancel.given_up())?;
        let instance = Box::new(ProcessInstance { process, addr });
        Ok(Launched { instance, startup: Startup::new(began, marks, answered) })
    }

    fn replicas(&self) -> Result<Box<dyn Replicas + '_>> {
        Ok(Separate::of(self, Vec::new()))
    }
}

/// The sizes of a subject that is one file.
fn sizes(binary: &Path) -> Result<Vec<(&'static str, u64)>> {
    let bytes = file_size(binary)?;
    Ok(vec![("artifact", bytes), ("compressed", compressed_size(binary)?), ("total", bytes)])
}

/// A subject that is one process and what it starts.
pub struct ProcessInstance {
    /// The process.
    pub process: Process,
    /// Where it answers.
    pub addr: SocketAddr,
}

#[async_trait(?Send)]
impl Instance for ProcessInstance {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn processes(&self) -> Result<Processes> {
        Ok(Processes { service: self.process.tree(), engine: Vec::new() })
    }

    fn cgroup(&self) -> Option<&Cgroup> {
        None
    }

    async fn ended(&mut self) -> Result<Option<End>> {
        self.process.ended()
    }

    async fn stop(self: Box<Self>) -> Result<()> {
        self.process.stop()
    }
}
