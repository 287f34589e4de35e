//! The record of a run that begins.

use std::time::SystemTime;

use tare_model::{Calibration, Host, Plan, RunRecord, RunState, SCHEMA_VERSION, metric_records};

use super::Options;
use crate::platforms::definitions;
use crate::sys::facts;
use crate::workload::Provenance;

/// The record of a run of this machine that has measured nothing yet.
pub fn begin(options: &Options<'_>, plan: Plan) -> RunRecord {
    begin_with(options.run, options.command.clone(), plan, facts::host(), options.layout.provenance())
}

/// The same of any machine.
pub fn begin_with(run: &str, command: Vec<String>, plan: Plan, host: Host, provenance: Provenance) -> RunRecord {
    RunRecord {
        schema_version: SCHEMA_VERSION,
        run: run.into(),
        command,
        started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        state: RunState::Running,
        host,
        versions: provenance.versions,
        git_commit: provenance.git_commit,
        plan,
        subjects: Vec::new(),
        platforms: definitions(),
        metrics: metric_records(),
        converged: Vec::new(),
        isolation: Vec::new(),
        calibration: Calibration::default(),
        failed: Vec::new(),
        unavailable: Vec::new(),
        warnings: Vec::new(),
    }
}
