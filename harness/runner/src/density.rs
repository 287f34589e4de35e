//! The memory of several instances beside each other.

use anyhow::{Context, Result};
use tare_model::metrics::MEMORY_INSTANCES;

use crate::engine::Cgroup;
use crate::measure::{Findings, SETTLE};
use crate::platforms::{Colony, Target};
use crate::sampling::pss_bytes;

/// Starts as many instances as the counts say, one after another, and reads their memory at each count. All are gone when
/// this returns.
///
/// # Errors
/// An instance does not start, or one does not stop.
pub async fn density(target: &dyn Target, counts: &[u32], findings: &mut Findings) -> Result<()> {
    let mut colony = target.colony()?;
    let grown = grow(colony.as_mut(), counts, findings).await;
    colony.stop().await.context("instances beside each other could not be stopped")?;
    grown
}

async fn grow(colony: &mut dyn Colony, counts: &[u32], findings: &mut Findings) -> Result<()> {
    let mut running = 0;
    for &count in counts {
        while running < count {
            running += 1;
            colony.grow().await.with_context(|| format!("instance {running} beside the others did not start"))?;
        }
        tokio::time::sleep(SETTLE).await;
        read(colony, count, findings)?;
    }
    Ok(())
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
