//! Starting a subject once more, for nothing but the times of its start.

use anyhow::{Context, Result};
use tare_model::Group;
use tare_model::metrics::STARTUP_COLD;

use super::measure::{Findings, Job};

impl Job<'_> {
    /// Starts it as before a measurement and stops it at once. Nothing is left of it when this returns.
    ///
    /// # Errors
    /// It does not start, or does not stop.
    pub async fn start_again(&self) -> Result<Findings> {
        let mut findings = Findings::default();
        let launched = self.launch().await?;
        findings.startup(&STARTUP_COLD, &launched.startup);
        launched.instance.stop().await.context("it could not be stopped")?;
        if let Err(error) = self.deploy(&mut findings).await {
            findings.failures.push((Group::Startup, format!("{error:#}")));
        }
        Ok(findings)
    }
}
