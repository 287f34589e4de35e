//! The memory of an instance: idle, and in a loop of its own.

use std::sync::Arc;

use anyhow::Result;
use nix::unistd::Uid;
use tare_load::Mix;
use tare_model::metrics::{MEMORY_CGROUP, MEMORY_ENGINE, MEMORY_HIGH_WATER, MEMORY_PSS, MEMORY_TRACE};
use tare_model::{Group, Phase};

use super::drive::{Loop, drive, open};
use super::measure::{Findings, Job, Load, describe_errors};
use crate::platforms::{Instance, Processes, RunContext};
use crate::sys::cgroup::Cgroup;
use crate::sys::sampling::{PERIOD, Sampler, high_water_bytes, pss_bytes};

/// How many of the readings of memory during a loop are kept, about.
const TRACE_POINTS: f64 = 20.0;

/// Where the memory of an instance is read.
#[derive(Clone)]
pub(super) struct Memory {
    processes: Processes,
    cgroup: Option<Cgroup>,
}

impl Memory {
    pub(super) fn of(instance: &dyn Instance) -> Result<Self> {
        Ok(Self { processes: instance.processes()?, cgroup: instance.cgroup().cloned() })
    }

    /// The service's proportional set size, its cgroup's charge, and what the engine runs beside it; in bytes.
    pub(super) fn read(&self) -> [Option<u64>; 3] {
        let pss = |pids: &[i32]| pids.iter().map(|&pid| pss_bytes(pid).ok()).sum::<Option<u64>>();
        let engine = (!self.processes.engine.is_empty()).then(|| pss(&self.processes.engine)).flatten();
        let cgroup = self.cgroup.as_ref().and_then(|cgroup| cgroup.memory_usage().ok());
        [pss(&self.processes.service), cgroup, engine]
    }
}

impl Job<'_> {
    /// Reads the memory in an open loop of its own, whose other figures do not count: reading the memory of a process holds it
    /// up, for half a millisecond where it is large. It needs no warm-up, and is one for the loops after it.
    pub(super) async fn memory_under_load(
        &self,
        instance: &dyn Instance,
        memory: Memory,
        findings: &mut Findings,
        load: &Load<'_>,
        mix: &Arc<Mix>,
    ) -> Result<()> {
        let (plan, seed) = (load.plan, load.seed.rotate_left(32));
        let wanted = Loop { name: "memory", mode: open(plan, load.rate_rps), seconds: plan.open_s, seed };
        let watched = memory.clone();
        let watch = Sampler::start(move || watched.read());
        let done = drive(self.context, instance.addr(), plan, mix, wanted).await;
        findings.over_time(self.context, &watch.stop(), plan.open_s);
        findings.memory(self.context, "after", memory.read());
        findings.high_water(&memory);
        let outcome = done?;
        if outcome.errors.total() > 0 {
            findings.failures.push((Group::Memory, describe_errors(wanted.name, &outcome)));
        }
        Ok(())
    }
}

impl Findings {
    pub(super) fn memory(&mut self, context: &RunContext, phase: &str, readings: [Option<u64>; 3]) {
        let [pss, cgroup, engine] = readings;
        for (metric, bytes) in [(&MEMORY_PSS, pss), (&MEMORY_CGROUP, cgroup), (&MEMORY_ENGINE, engine)] {
            if let Some(bytes) = bytes {
                self.read(metric, phase, bytes as f64);
            }
        }
        if pss.is_some() {
            return;
        }
        // Known before, and said by `doctor`: the account of its cgroup is what there is.
        if cgroup.is_some() && !Uid::effective().is_root() {
            context.notes.warn(
                "only root may read the memory of other users' processes: of containers there is what the kernel accounts to \
                 their cgroups, file cache included, and no proportional set size",
            );
            return;
        }
        let reason = "the memory of its processes cannot be read: only root may read that of other users' processes, and that \
                      of a process that has ended is gone";
        self.failures.push((Group::Memory, reason.into()));
    }

    /// The readings during a loop of so many seconds: the peak of each quantity, and the service's memory over time.
    fn over_time(&mut self, context: &RunContext, readings: &[[Option<u64>; 3]], loop_s: f64) {
        let peak = |place: usize| readings.iter().filter_map(|reading| reading[place]).max();
        self.memory(context, "peak", [peak(0), peak(1), peak(2)]);
        // Long loops have many readings, of which a curve needs some only.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and casts saturate")]
        let step = (loop_s / PERIOD.as_secs_f64() / TRACE_POINTS).ceil().max(1.0) as usize;
        for (place, reading) in readings.iter().enumerate().step_by(step) {
            if let Some(bytes) = reading[0] {
                let at = place as u128 * PERIOD.as_millis();
                self.read(&MEMORY_TRACE, Phase::at("pss", at as f64), bytes as f64);
            }
        }
    }

    fn high_water(&mut self, memory: &Memory) {
        let service = memory.processes.service.iter().map(|&pid| high_water_bytes(pid).ok()).sum::<Option<u64>>();
        let cgroup = memory.cgroup.as_ref().and_then(|cgroup| cgroup.memory_high_water().ok());
        for (phase, bytes) in [("rss", service), ("cgroup", cgroup)] {
            if let Some(bytes) = bytes {
                self.read(&MEMORY_HIGH_WATER, phase, bytes as f64);
            }
        }
    }
}
