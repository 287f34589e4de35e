//! The memory of several instances beside each other.

use std::time::Duration;

use anyhow::{Context, Result};
use tare_model::metrics::MEMORY_INSTANCES;

use crate::engine::Cgroup;
use crate::measure::Findings;
use crate::platforms::{Colony, Target};
use crate::sampling::pss_bytes;

/// Starts as many instances as the counts say, one after another, and reads their memory at each count, when they were left
/// alone for the time to settle. All are gone when this returns. A slope over some of the counts is not that over all, so
/// there are readings at all of them or none.
///
/// # Errors
/// An instance does not start, one does not stop, or memory cannot be read.
pub async fn density(target: &dyn Target, counts: &[u32], settle: Duration) -> Result<Findings> {
    let mut colony = target.colony()?;
    let grown = grow(colony.as_mut(), counts, settle).await;
    colony.stop().await.context("instances beside each other could not be stopped")?;
    grown
}

async fn grow(colony: &mut dyn Colony, counts: &[u32], settle: Duration) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut running = 0;
    for &count in counts {
        while running < count {
            running += 1;
            colony.grow().await.with_context(|| format!("instance {running} beside the others did not start"))?;
        }
        tokio::time::sleep(settle).await;
        read(colony, count, &mut findings)?;
    }
    Ok(findings)
}

fn read(colony: &dyn Colony, count: u32, findings: &mut Findings) -> Result<()> {
    let processes = colony.processes()?;
    let pss = |pids: &[i32]| pids.iter().map(|&pid| pss_bytes(pid)).sum::<Result<u64>>();
    let (service, engine, daemons) = (pss(&processes.service)?, pss(&processes.engine)?, pss(colony.daemons())?);
    let mut read = |what: &str, bytes: u64| findings.read(&MEMORY_INSTANCES, format!("{what}@{count}"), bytes as f64);
    read("total", service + engine);
    read("service", service);
    if !processes.engine.is_empty() {
        read("engine", engine);
    }
    if !colony.daemons().is_empty() {
        read("daemons", daemons);
    }
    let cgroups = colony.cgroups();
    if !cgroups.is_empty() {
        read("cgroup", cgroups.into_iter().map(Cgroup::memory_usage).sum::<Result<u64>>()?);
    }
    Ok(())
}
