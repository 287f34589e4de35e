//! Several instances of one subject beside each other.

use anyhow::Result;
use async_trait::async_trait;

use super::{Instance, Processes, Target};
use crate::sys::cgroup::Cgroup;

/// Instances of one subject that run beside each other.
#[async_trait(?Send)]
pub trait Replicas {
    /// Starts one more and waits for its first right answer.
    async fn scale_up(&mut self) -> Result<()>;

    /// The processes of all of them.
    fn processes(&self) -> Result<Processes>;

    /// Those of the engine that serve all of its instances.
    fn daemons(&self) -> &[i32] {
        &[]
    }

    /// The cgroups of those that have one.
    fn cgroups(&self) -> Vec<&Cgroup>;

    /// Ends all of them.
    async fn stop(self: Box<Self>) -> Result<()>;
}

/// Instances that share nothing, each launched like a single one.
pub(super) struct Separate<'a> {
    target: &'a dyn Target,
    instances: Vec<Box<dyn Instance>>,
    daemons: Vec<i32>,
}

impl<'a> Separate<'a> {
    /// No instance yet; beside the processes of the engine that serve all of its instances.
    pub(super) fn of(target: &'a dyn Target, daemons: Vec<i32>) -> Box<dyn Replicas + 'a> {
        Box::new(Self { target, instances: Vec::new(), daemons })
    }
}

#[async_trait(?Send)]
impl Replicas for Separate<'_> {
    async fn scale_up(&mut self) -> Result<()> {
        self.instances.push(self.target.launch().await?.instance);
        Ok(())
    }

    fn processes(&self) -> Result<Processes> {
        let mut all = Processes::default();
        for instance in &self.instances {
            let Processes { service, engine } = instance.processes()?;
            all.service.extend(service);
            all.engine.extend(engine);
        }
        Ok(all)
    }

    fn daemons(&self) -> &[i32] {
        &self.daemons
    }

    fn cgroups(&self) -> Vec<&Cgroup> {
        self.instances.iter().filter_map(|instance| instance.cgroup()).collect()
    }

    async fn stop(self: Box<Self>) -> Result<()> {
        let mut stopped = Ok(());
        for instance in self.instances {
            // The others are to go, too, when one does not.
            stopped = stopped.and(instance.stop().await);
        }
        stopped
    }
}
