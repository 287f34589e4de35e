//! Before any number counts: right answers, capacities, the generator's ceiling.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use tare_load::{Mix, Mode};
use tare_model::Plan;

use super::prepare::{Ready, failed};
use super::{FAILURES_TOLERATED, Run};
use crate::session::drive::{Loop, ceiling, drive, first_error, open_rates};
use crate::session::mix::mix;
use crate::session::sweep;
use crate::session::verify::verify;

/// How often a refuted ceiling of the generator is measured again.
const CEILING_TRIES: u32 = 2;

/// How long the news of an end may take to reach an engine's own records: who has died is not to be told as one that closes
/// connections.
const NEWS_LAG: Duration = Duration::from_millis(500);

impl Run<'_> {
    /// Before any number counts: every subject passes its scenario, and where there is to be a load, its capacity and
    /// the generator's are found.
    pub(super) async fn calibrate(&mut self) -> Result<()> {
        let prepared = self.prepared;
        let load = self.record.plan.load.clone();
        let mut ceilings: BTreeMap<String, (Arc<Mix>, f64)> = BTreeMap::new();
        for (index, ready) in prepared.ready.iter().enumerate() {
            let subject = ready.subject.clone();
            self.tell(&format!("verify {subject} ({} of {})", index + 1, prepared.ready.len()), None);
            match self.verify(ready).await {
                Ok(Some((capacity, mix))) => {
                    self.record.calibration.capacity_rps.insert(subject.to_string(), capacity);
                    if !ceilings.contains_key(&subject.service) {
                        let found = self.ceiling(&mix).await?;
                        ceilings.insert(subject.service.clone(), (mix, found));
                    }
                }
                Ok(None) => {}
                Err(_) if self.is_cancelled() => return self.interrupt(),
                Err(error) => {
                    self.record.failed.push(failed(&ready.subject, None, None, &error));
                    self.strikes.insert(subject, FAILURES_TOLERATED);
                }
            }
            self.save()?;
        }
        self.record.calibration.generator_ceiling_rps = self.lowest_ceiling(ceilings).await?;
        let capacities = &self.record.calibration.capacity_rps;
        let subjects = prepared.ready.iter().map(|ready| ready.subject.clone());
        // Controls do not count: they are no alternative that the load of the others would have to suit.
        let judged = subjects.filter(|subject| !self.record.is_control(subject)).filter_map(|subject| {
            let capacity = *capacities.get(&subject.to_string())?;
            Some((subject.service, capacity))
        });
        let judged: Vec<(String, f64)> = judged.collect();
        let calibration = &mut self.record.calibration;
        calibration.open_rate_rps = open_rates(judged.clone(), load.open_share);
        if let Some(ceiling) = calibration.generator_ceiling_rps.filter(|_| load.sweep_s > 0.0) {
            calibration.sweep_rps = sweep::rates(judged, load.open_share, ceiling * load.sweep.of_ceiling);
        }
        self.save()
    }

    /// Passes a subject through its scenario; returns its capacity in requests per second, where it is to be loaded.
    async fn verify(&self, ready: &Ready<'_>) -> Result<Option<(f64, Arc<Mix>)>> {
        let (context, plan) = (&self.prepared.context, &self.record.plan);
        let scenario = ready.scenario;
        let timeout = Duration::from_secs_f64(plan.load.timeout_s);
        let mut launched = ready.target.launch().await.context("it did not get ready")?;
        let addr = launched.instance.addr();
        let judged = async {
            let captures = verify(scenario, addr, plan.seed, timeout).await?;
            if !self.loads() {
                return Ok(None);
            }
            let mix = Arc::new(mix(scenario, &captures)?);
            let outcome = drive(context, addr, &plan.load, &mix, capacity_loop(plan)).await?;
            ensure!(outcome.right > 0, "no request of the load was answered rightly: {}", first_error(&outcome));
            Ok(Some((outcome.throughput_rps(), mix)))
        };
        let judged: Result<Option<(f64, Arc<Mix>)>> = judged.await;
        let mut ended = launched.instance.ended().await;
        if judged.is_err() && matches!(ended, Ok(None)) && !self.is_cancelled() {
            tokio::time::sleep(NEWS_LAG).await;
            ended = launched.instance.ended().await;
        }
        launched.instance.stop().await?;
        match (judged, ended?) {
            (Err(error), Some(how)) => Err(error.context(format!("it died: {how}"))),
            (Ok(_), Some(how)) => Err(anyhow!("it died: {how}")),
            (judged, _) => judged,
        }
    }

    /// The generator's ceiling with a service's requests.
    async fn ceiling(&self, mix: &Arc<Mix>) -> Result<f64> {
        let plan = &self.record.plan;
        ceiling(&self.prepared.context, &plan.load, mix, capacity_loop(plan)).await
    }

    /// The lowest of the services' ceilings; `None` where nothing is loaded. One that a subject has refuted was measured in a bad
    /// moment, and is measured again.
    async fn lowest_ceiling(&self, ceilings: BTreeMap<String, (Arc<Mix>, f64)>) -> Result<Option<f64>> {
        let mut lowest: Option<f64> = None;
        for (service, (mix, mut found)) in ceilings {
            let subjects = self.prepared.ready.iter().map(|ready| &ready.subject);
            let capacities = subjects
                .filter(|subject| subject.service == service)
                .filter_map(|subject| self.record.calibration.capacity_rps.get(&subject.to_string()).copied());
            let strongest = capacities.fold(0.0, f64::max);
            for _ in 0..CEILING_TRIES {
                if found >= strongest || self.is_cancelled() {
                    break;
                }
                found = found.max(self.ceiling(&mix).await?);
            }
            lowest = Some(lowest.map_or(found, |lowest| lowest.min(found)));
        }
        Ok(lowest)
    }
}

fn capacity_loop(plan: &Plan) -> Loop {
    Loop { name: "closed", mode: Mode::Closed, seconds: plan.load.capacity_s, seed: plan.seed }
}
