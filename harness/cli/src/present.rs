//! What a run has found, for its reader: on the screen, and as a report on disk.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use fs_err as fs;
use serde::Serialize;
use tare_model::{ClaimRow, Comparison, FailedCell, RunRecord, RunState, Sample, SummaryRow};
use tare_report::{Content, Other, comparison};
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
    /// Prints the results, renders the report into its folder under `reports`, and says where both are; returns the comparison with
    /// the other run, where there is one.
    ///
    /// # Errors
    /// The disk takes no report, or a chart cannot be drawn.
    pub fn present(
        &self,
        layout: &Layout,
        reports: &Path,
        json: bool,
        against: Option<Other<'_>>,
    ) -> Result<Option<Comparison>> {
        let Self { name, folder, record, samples, judged } = *self;
        let mut record = record.clone();
        if !judged.is_empty() {
            record.warnings.extend(results::unknown_names(layout, &record, samples));
        }
        let record = &record;
        let summary = results::summary(record, samples);
        let content = Content { record, summary: &summary, samples, judged, against };
        let compared = comparison(&content);
        if json {
            print_json(&Output {
                run: &record.run,
                state: record.state,
                summary: summary.rows(),
                claims: judged.iter().flat_map(Judged::rows).collect(),
                against: compared.as_ref(),
                failed: &record.failed,
                warnings: &record.warnings,
            })?;
        } else {
            print(&tare_report::terminal(&content, style()))?;
        }
        let index = reports::write(reports, name, &content)?;
        say(&format!("files: {}", layout.relative(folder)));
        if has_logs(layout, folder, record) {
            say(&format!("logs of what failed: {}", layout.relative(&layout.logs())));
        }
        say(&format!("report: {}", layout.relative(&index)));
        Ok(compared)
    }
}

/// Whether a subject that failed has left its log here, and no later run has written over it.
fn has_logs(layout: &Layout, folder: &Path, record: &RunRecord) -> bool {
    /// The log may be closed after the record was written for the last time.
    const LATER: Duration = Duration::from_secs(2);
    let changed = |path: &Path| -> Option<SystemTime> { fs::metadata(path).ok()?.modified().ok() };
    let Some(written) = changed(&folder.join(results::RECORD)) else { return false };
    let began = humantime::parse_rfc3339(&record.started).unwrap_or(written);
    let mut failed = record.failed.iter().map(|cell| cell.subject.slug());
    failed.any(|slug| {
        let mut logs = [format!("{slug}.log"), format!("image-{slug}.log")].into_iter();
        let of_run = |at| began <= at && at <= written + LATER;
        logs.any(|log| changed(&layout.logs().join(log)).is_some_and(of_run))
    })
}

#[derive(Serialize)]
struct Output<'a> {
    run: &'a str,
    state: RunState,
    summary: Vec<SummaryRow>,
    claims: Vec<ClaimRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<&'a Comparison>,
    failed: &'a [FailedCell],
    warnings: &'a [String],
}
