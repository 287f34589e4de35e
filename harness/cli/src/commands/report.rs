//! `report`: the comparison of an earlier run, from its files alone.

use anyhow::{Result, ensure};
use tare_model::{Change, ComparedRow, Comparison, Subject};
use tare_report::Other;
use tare_runner::Layout;
use tare_stats::{judge, worse_by};

use crate::args::ReportArgs;
use crate::exit::Exit;
use crate::present::Measured;
use crate::results::{self, Run};
use crate::screen::{say, wrapped};

/// Runs it. Exits with 1 where a figure is worse than in the other run by more than it may be.
///
/// # Errors
/// When there is no such run, its files cannot be read, or no figure can be judged that should be.
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
    let compared = measured.present(&layout, &reports, args.output.json, other)?;
    if samples.is_empty() {
        // As of the comparison itself: nothing could be told.
        return Ok(Exit::Usage);
    }
    match compared.zip(args.fail_beyond) {
        Some((compared, percent)) => within(&compared, percent),
        None => Ok(Exit::Done),
    }
}

/// Says what is worse by more than so many percent, and what cannot be told.
///
/// # Errors
/// Nothing can be told: a script that asks would take that for a good answer.
fn within(compared: &Comparison, percent: f64) -> Result<Exit> {
    let other = &compared.other;
    let unknown = compared.cells.iter().filter(|row| row.verdict == Change::Inconclusive).count();
    ensure!(
        unknown < compared.cells.len(),
        "nothing can be told against {other}: no figure of both runs has an interval that is narrow enough, which takes six \
         rounds at least of each"
    );
    let beyond: Vec<&ComparedRow> = compared.cells.iter().filter(|row| is_beyond(row, percent)).collect();
    for row in &beyond {
        say(wrapped("worse: ", &described(row)).trim_end());
    }
    say(&format!(
        "against {other}: {} of {} figures worse by more than {percent} %, {unknown} inconclusive",
        beyond.len(),
        compared.cells.len()
    ));
    Ok(if beyond.is_empty() { Exit::Done } else { Exit::CellFailed })
}

fn is_beyond(row: &ComparedRow, percent: f64) -> bool {
    let share = |from: f64, to: f64| worse_by(row.better, from, to);
    let worse = row.from.zip(row.to).map(|(from, to)| share(from.median, to.median));
    row.verdict == Change::Regressed && worse.is_some_and(|worse| worse * 100.0 > percent)
}

fn described(row: &ComparedRow) -> String {
    let ComparedRow { service, implementation, platform, variant, metric, phase, unit, .. } = row;
    let names = [service, implementation, platform, variant].map(String::clone);
    let [service, implementation, platform, variant] = names;
    let subject = Subject { service, implementation, platform, variant };
    let medians = row.from.zip(row.to).map(|(from, to)| format!(", {:.4e} to {:.4e} {unit}", from.median, to.median));
    let ratio = row.ratio.map(|ratio| format!(" ({ratio:.2} times)"));
    format!("{subject} {metric} {phase}{}{}", medians.unwrap_or_default(), ratio.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use tare_model::metrics::{SIZE, STARTUP_COLD, THROUGHPUT};
    use tare_model::{ComparedValue, Metric};

    use super::*;

    fn row(metric: &'static Metric, from: f64, to: f64, verdict: Change) -> ComparedRow {
        let value = |median| Some(ComparedValue { n: 6, median, ci_low: None, ci_high: None, at_least: false });
        ComparedRow {
            service: "auth".into(),
            implementation: "rust".into(),
            platform: "wasmtime".into(),
            variant: "aot".into(),
            metric: metric.name,
            phase: metric.headline.unwrap(),
            unit: metric.unit,
            better: metric.better,
            from: value(from),
            to: value(to),
            ratio: Some(to / from),
            verdict,
        }
    }

    fn exit(rows: &[ComparedRow], percent: f64) -> Result<Exit> {
        within(&Comparison { other: "r1".into(), differ: Vec::new(), cells: rows.to_vec() }, percent)
    }

    #[test]
    fn only_what_is_significant_and_large_and_worse_is_beyond() {
        let slower = row(&STARTUP_COLD, 100.0, 110.0, Change::Regressed);
        let noisy = row(&STARTUP_COLD, 100.0, 300.0, Change::Inconclusive);
        let better = row(&THROUGHPUT, 100.0, 300.0, Change::Improved);
        let fewer = row(&THROUGHPUT, 100.0, 80.0, Change::Regressed);
        let rows = [slower.clone(), noisy.clone(), better.clone()];
        assert_eq!(exit(&rows, 5.0).unwrap(), Exit::CellFailed);
        assert_eq!(exit(&rows, 12.0).unwrap(), Exit::Done);
        assert_eq!(exit(&[fewer.clone(), better], 12.0).unwrap(), Exit::CellFailed);
        assert_eq!(exit(&[fewer], 25.0).unwrap(), Exit::Done);
        assert!(exit(&[noisy], 5.0).unwrap_err().to_string().contains("nothing can be told against r1"));
        assert!(exit(&[], 5.0).is_err());
        assert_eq!(described(&slower), "auth/wasmtime/aot startup_cold total, 1.0000e2 to 1.1000e2 ns (1.10 times)");
        assert!(is_beyond(&row(&SIZE, 0.0, 1.0, Change::Regressed), 1000.0), "from nothing");
    }
}
