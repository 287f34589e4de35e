//! `report`: the comparison of an earlier run, from its files alone.

use anyhow::Result;
use tare_report::{Content, Other};
use tare_runner::Layout;

use crate::args::ReportArgs;
use crate::commands::compare::{pairs, show, sides};
use crate::exit::Exit;
use crate::reports;
use crate::results;
use crate::screen::say;

/// Runs it.
///
/// # Errors
/// When there is no such run, or its files cannot be read.
pub fn execute(args: &ReportArgs) -> Result<Exit> {
    let layout = Layout::find()?;
    let results = args.results.clone().unwrap_or_else(|| layout.results());
    let (folder, record, samples) = results::read(&results, &args.run)?;
    let summary = results::summary(&record, &samples);
    // The summary follows from the samples: a run cut short may have an old one.
    results::write_summary_file(&folder, &summary)?;
    let judged = results::write_claims_file(&folder, &results::claims(&layout.claims())?, &samples)?;
    let other = match &args.against {
        Some(run) => {
            let (_, record, samples) = results::read(&results, run)?;
            let summary = results::summary(&record, &samples);
            Some((record, summary))
        }
        None => None,
    };
    let (pairs, sides) = (pairs(), sides());
    let content = Content {
        record: &record,
        summary: &summary,
        samples: &samples,
        judged: &judged,
        pairs: &pairs,
        sides: &sides,
        against: other.as_ref().map(|(record, summary)| Other { record, summary }),
    };
    show(&content, args.output.json)?;
    let reports = args.reports.clone().unwrap_or_else(|| layout.reports());
    say(&format!("report: {}", layout.relative(&reports::write(&reports, &content)?)));
    Ok(Exit::Done)
}
