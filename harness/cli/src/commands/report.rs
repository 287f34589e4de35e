//! `report`: the comparison of an earlier run, from its files alone.

use anyhow::Result;
use tare_report::Other;
use tare_runner::Layout;
use tare_stats::judge;

use crate::args::ReportArgs;
use crate::exit::Exit;
use crate::present::Measured;
use crate::results::{self, Run};

/// Runs it.
///
/// # Errors
/// When there is no such run, or its files cannot be read.
pub fn execute(args: &ReportArgs) -> Result<Exit> {
    let layout = Layout::find()?;
    let results = args.results.clone().unwrap_or_else(|| layout.results());
    let Run { name, folder, record, samples } = results::read(&results, &args.run)?;
    // A reader writes nothing into a run's folder: it may be still in use, or somebody else's.
    let judged = judge(&results::claims(&layout.claims())?, &samples);
    let other = match &args.against {
        Some(run) => {
            let Run { record, samples, .. } = results::read(&results, run)?;
            let summary = results::summary(&record, &samples);
            Some((record, summary))
        }
        None => None,
    };
    let other = other.as_ref().map(|(record, summary)| Other { record, summary });
    let measured = Measured { name: &name, folder: &folder, record: &record, samples: &samples, judged: &judged };
    let reports = args.reports.clone().unwrap_or_else(|| layout.reports());
    measured.present(&layout, &reports, args.output.json, other)?;
    // As of the comparison itself: nothing could be told.
    Ok(if samples.is_empty() { Exit::Usage } else { Exit::Done })
}
