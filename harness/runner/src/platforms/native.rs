//! The service as a plain process: the floor, and the reference of every ratio.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;
use tare_model::ArtifactRecord;

use super::{
    Colony, Common, Instance, Isolation, Launched, Platform, Processes, Role, Separate, Startup, Target, Variant, World,
};
use crate::affinity;
use crate::build::{Product, artifact, compressed_size, file_size};
use crate::engine::Cgroup;
use crate::layout::Service;
use crate::preflight::Finding;
use crate::process::{Process, Program};

/// The platform's name.
pub const NAME: &str = "native";
/// The name of its variant.
pub const VARIANT: &str = "process";
/// The name of the same once more.
pub const AGAIN: &str = "again";

/// See the module.
pub struct Native;

const VARIANTS: &[Variant] = &[
    Variant {
        name: VARIANT,
        summary: "the binary of docker/scratch-glibc as a plain process",
        products: &[Product::StaticBinary],
        role: Role::Headline,
        beside: None,
    },
    Variant {
        name: AGAIN,
        summary: "the same once more in each round: what differs between the two is noise",
        products: &[Product::StaticBinary],
        role: Role::Noise,
        beside: None,
    },
];

#[async_trait(?Send)]
impl Platform for Native {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a plain process: the floor and the reference"
    }

    fn variants(&self) -> &'static [Variant] {
        VARIANTS
    }

    fn isolation(&self, _: &Variant) -> Isolation {
        Isolation::NONE
    }

    async fn preflight(&self) -> Vec<Finding> {
        Vec::new()
    }

    async fn prepare(&self, world: &Rc<World>, service: &Service, variant: &Variant) -> Result<Box<dyn Target>> {
        let binary = world.products.file(Product::StaticBinary, &service.name)?.to_owned();
        Ok(Box::new(NativeTarget { common: Common::new(world, service, NAME, variant), binary }))
    }
}

struct NativeTarget {
    common: Common,
    binary: PathBuf,
}

#[async_trait(?Send)]
impl Target for NativeTarget {
    fn artifacts(&self) -> Vec<ArtifactRecord> {
        let name = self.common.world.layout.relative(&self.binary);
        artifact("binary", name, &self.binary).into_iter().collect()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("link".into(), "static, glibc".into()),
            ("cpus".into(), affinity::list(&self.common.world.cpus.subject)),
        ])
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        let bytes = file_size(&self.binary)?;
        Ok(vec![("artifact", bytes), ("compressed", compressed_size(&self.binary)?), ("total", bytes)])
    }

    async fn launch(&self) -> Result<Launched> {
        let Common { world, probe, .. } = &self.common;
        let program = Program {
            path: &self.binary,
            args: Vec::new(),
            env: self.common.env_listening_on("127.0.0.1:0"),
            commands: false,
            log: self.common.log(),
        };
        let (mut process, began) = Process::start(program, &world.cpus)?;
        let (addr, marks) = process.listening(world.start_timeout, &world.cancel)?;
        let answered = probe.ask(addr, world.start_timeout)?;
        let instance = Box::new(ProcessInstance { process, addr });
        Ok(Launched { instance, startup: Startup::new(began, marks, answered) })
    }

    fn colony(&self) -> Result<Box<dyn Colony + '_>> {
        Ok(Separate::of(self, Vec::new()))
    }
}

/// A subject that is one process.
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
        Ok(Processes { service: vec![self.process.pid()], engine: Vec::new() })
    }

    fn cgroup(&self) -> Option<&Cgroup> {
        None
    }

    async fn ended(&mut self) -> Result<Option<String>> {
        self.process.ended()
    }

    async fn stop(self: Box<Self>) -> Result<()> {
        self.process.stop()
    }
}
