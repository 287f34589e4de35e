//! A service that is running already, started by somebody else: there is nothing to start, only to put under load.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Result, bail};
use async_trait::async_trait;
use tare_model::{ArtifactRecord, Group};

use super::{
    Common, End, Entry, Instance, Isolation, Launched, Platform, Processes, Replicas, RunContext, Startup, Target,
    Variant,
};
use crate::artifacts::Product;
use crate::sys::cgroup::Cgroup;
use crate::sys::clock::monotonic_ns;
use crate::workload::{Implementation, Source, Workload};

const NAME: &str = "running";

/// The platform.
pub struct Running;

struct AtUrl;

const URL: Entry = Entry::new(NAME, "url", "what answers at a URL of this machine: load and latency only");

#[async_trait(?Send)]
impl Platform for Running {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a service that is running already, whoever started it"
    }

    fn variants(&self) -> &'static [&'static dyn Variant] {
        &[&AtUrl]
    }
}

#[async_trait(?Send)]
impl Variant for AtUrl {
    fn entry(&self) -> &Entry {
        &URL
    }

    fn takes(&self, implementation: &Implementation) -> Option<Vec<Product>> {
        matches!(implementation.source, Source::Running(_)).then(Vec::new)
    }

    fn isolation(&self) -> Isolation {
        Isolation::NONE
    }

    async fn prepare(&self, context: &Rc<RunContext>, workload: Workload<'_>) -> Result<Box<dyn Target>> {
        let Source::Running(addr) = workload.implementation.source else {
            bail!("{workload} is not running already");
        };
        Ok(Box::new(RunningTarget { common: Common::new(context, workload, &URL), addr }))
    }
}

struct RunningTarget {
    common: Common,
    addr: SocketAddr,
}

#[async_trait(?Send)]
impl Target for RunningTarget {
    fn artifacts(&self) -> Vec<ArtifactRecord> {
        Vec::new()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("address".into(), self.addr.to_string()),
            ("cpus".into(), "not known: it was started by somebody else".into()),
        ])
    }

    fn unavailable(&self) -> Vec<(Group, String)> {
        let reason = "it is running already: what it is made of, its start and its processes are not known";
        let groups = [Group::Size, Group::Startup, Group::Memory, Group::Density];
        groups.map(|group| (group, reason.to_owned())).into()
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        Ok(Vec::new())
    }

    /// Asks it once whether it answers rightly.
    async fn launch(&self) -> Result<Launched> {
        let Common { context, probe, .. } = &self.common;
        let began = monotonic_ns();
        let answered = probe.ask(self.addr, self.common.deadline(), &mut || context.cancel.given_up())?;
        let instance = Box::new(RunningInstance(self.addr));
        Ok(Launched { instance, startup: Startup::new(began, Vec::new(), answered) })
    }

    fn replicas(&self) -> Result<Box<dyn Replicas + '_>> {
        bail!("it is running already")
    }
}

struct RunningInstance(SocketAddr);

#[async_trait(?Send)]
impl Instance for RunningInstance {
    fn addr(&self) -> SocketAddr {
        self.0
    }

    fn processes(&self) -> Result<Processes> {
        Ok(Processes::default())
    }

    fn cgroup(&self) -> Option<&Cgroup> {
        None
    }

    async fn ended(&mut self) -> Result<Option<End>> {
        // Whether it still answers, the load itself tells.
        Ok(None)
    }

    async fn stop(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
