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
use crate::sys::affinity::{self, Cpus};
use crate::sys::cgroup::Cgroup;
use crate::sys::clock::monotonic_ns;
use crate::sys::listeners::listener_of;
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
        if let Some(words) = shares_cpus(addr, &context.cpus) {
            context.notes.warn(format!("{workload} {words}"));
        }
        let cpus = listener_of(addr.port()).and_then(|pid| affinity::of_process(pid).ok());
        let cpus =
            cpus.map_or_else(|| "not known: it was started by somebody else".into(), |cpus| affinity::list(&cpus));
        Ok(Box::new(RunningTarget { common: Common::new(context, workload, &URL), addr, cpus }))
    }
}

/// What makes it another comparison if the service runs where the load generator does, or on more CPUs than what is started here;
/// `None` where it does not.
fn shares_cpus(addr: SocketAddr, cpus: &Cpus) -> Option<String> {
    let listener = listener_of(addr.port());
    let allowed = listener.and_then(|pid| affinity::of_process(pid).ok());
    let subject = affinity::list(&cpus.subject);
    match (listener, allowed) {
        (Some(_), Some(allowed)) if allowed == cpus.subject => None,
        (Some(pid), Some(allowed)) => Some(format!(
            "runs on the CPUs {} (process {pid}), and what is started here on {subject}, apart from the load generator: the two \
             cannot be compared as they are; confine it, for example by `taskset -a -cp {subject} {pid}` or `docker update \
             --cpuset-cpus {subject} NAME`, and measure again",
            affinity::list(&allowed)
        )),
        _ => Some(format!(
            "runs on CPUs that cannot be told from here, and what is started here on {subject}, apart from the load generator: \
             compare the two only if you have confined it to the same"
        )),
    }
}

struct RunningTarget {
    common: Common,
    addr: SocketAddr,
    /// The CPUs that it may use.
    cpus: String,
}

#[async_trait(?Send)]
impl Target for RunningTarget {
    fn artifacts(&self) -> Vec<ArtifactRecord> {
        Vec::new()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("address".into(), self.addr.to_string()), ("cpus".into(), self.cpus.clone())])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_on_other_cpus_than_those_of_subjects_is_told() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let own = affinity::of_process(std::process::id().cast_signed()).unwrap();
        let confined = Cpus { generator: vec![4000], subject: own };
        assert_eq!(shares_cpus(addr, &confined), None);
        let other = Cpus { generator: vec![0], subject: vec![4000] };
        let told = shares_cpus(addr, &other).unwrap();
        assert!(told.contains("taskset -a -cp 4000"), "{told}");
        drop(listener);
        assert!(shares_cpus(addr, &confined).unwrap().contains("cannot be told"));
    }
}
