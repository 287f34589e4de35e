//! The memory of several instances beside each other.

use std::time::Duration;

use anyhow::{Context, Result};
use tare_model::Phase;
use tare_model::metrics::MEMORY_INSTANCES;

use super::measure::Findings;
use crate::platforms::{Replicas, Target};
use crate::sys::cgroup::Cgroup;
use crate::sys::sampling::pss_bytes;

/// Starts as many instances as the counts say, one after another, and reads their memory at each count, when they were left
/// alone for the time to settle. All are gone when this returns. A slope over some of the counts is not that over all, so
/// there are readings at all of them or none.
///
/// # Errors
/// An instance does not start, one does not stop, or memory cannot be read.
pub async fn density(target: &dyn Target, counts: &[u32], settle: Duration) -> Result<Findings> {
    let mut replicas = target.replicas()?;
    let scaled = scale_up(replicas.as_mut(), counts, settle).await;
    replicas.stop().await.context("instances beside each other could not be stopped")?;
    scaled
}

async fn scale_up(replicas: &mut dyn Replicas, counts: &[u32], settle: Duration) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut running = 0;
    for &count in counts {
        while running < count {
            running += 1;
            replicas.scale_up().await.with_context(|| format!("instance {running} beside the others did not start"))?;
        }
        tokio::time::sleep(settle).await;
        read(replicas, count, &mut findings)?;
    }
    Ok(findings)
}

fn read(replicas: &dyn Replicas, count: u32, findings: &mut Findings) -> Result<()> {
    let processes = replicas.processes()?;
    let pss = |pids: &[i32]| pids.iter().map(|&pid| pss_bytes(pid)).sum::<Result<u64>>();
    let (service, engine, daemons) = (pss(&processes.service)?, pss(&processes.engine)?, pss(replicas.daemons())?);
    let mut read =
        |what: &str, bytes: u64| findings.read(&MEMORY_INSTANCES, Phase::at(what, f64::from(count)), bytes as f64);
    read("total", service + engine);
    read("service", service);
    if !processes.engine.is_empty() {
        read("engine", engine);
    }
    if !replicas.daemons().is_empty() {
        read("daemons", daemons);
    }
    let cgroups = replicas.cgroups();
    if !cgroups.is_empty() {
        read("cgroup", cgroups.into_iter().map(Cgroup::memory_usage).sum::<Result<u64>>()?);
    }
    Ok(())
}
