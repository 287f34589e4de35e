//! What a run has found, for its reader: on the screen, and as a report on disk.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use tare_model::{ClaimRow, FailedCell, RunRecord, RunState, Sample, SummaryRow};
use tare_report::{Content, Other};
use tare_runner::Layout;
use tare_stats::Judged;

use crate::screen::{print, print_json, say, style};
use crate::{reports, results};

/// A run as its files have it.
pub struct Measured<'a> {
    /// What its report's folder is called.
    pub name: &'a str,
    pub folder: &'a Path,
    pub record: &'a RunRecord,
    pub samples: &'a [Sample],
    pub judged: &'a [Judged],
}

impl Measured<'_> {
    /// Prints the results, renders the report into its folder under `reports`, and says where both are.
    ///
    /// # Errors
    /// The disk takes no report, or a chart cannot be drawn.
    pub fn present(&self, layout: &Layout, reports: &Path, json: bool, against: Option<Other<'_>>) -> Result<()> {
        let Self { name, folder, record, samples, judged } = *self;
        let summary = results::summary(record, samples);
        let content = Content { record, summary: &summary, samples, judged, against };
        if json {
            print_json(&Output {
                run: &record.run,
                state: record.state,
                summary: summary.rows(),
                claims: judged.iter().flat_map(Judged::rows).collect(),
                failed: &record.failed,
                warnings: &record.warnings,
            })?;
        } else {
            print(&tare_report::terminal(&content, style()))?;
        }
        let index = reports::write(reports, name, &content)?;
        say(&format!("files: {}", layout.relative(folder)));
        say(&format!("report: {}", layout.relative(&index)));
        Ok(())
    }
}

#[derive(Serialize)]
struct Output<'a> {
    run: &'a str,
    state: RunState,
    summary: Vec<SummaryRow>,
    claims: Vec<ClaimRow>,
    failed: &'a [FailedCell],
    warnings: &'a [String],
}
