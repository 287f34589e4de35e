//! `doctor`: what this machine has and lacks, and what of a service can be measured here.

use anyhow::Result;
use tare_runner::{Finding, Layout, Level, choose, examine, preflight};

use crate::args::DoctorArgs;
use crate::exit::Exit;
use crate::screen::{print, print_json, wrapped};
use crate::services;

/// Runs it.
///
/// # Errors
/// Outside a checkout, or with a service that cannot be read.
pub async fn execute(args: &DoctorArgs) -> Result<Exit> {
    let layout = Layout::find()?;
    let mut findings = preflight(&layout, true, &[&layout.results(), &layout.reports()]).await;
    let select = &args.select;
    if !select.service.is_empty() || select.quick.resolve().is_described() {
        let services = services::chosen(&layout, select)?;
        // A name that is in no registry is told here as it is by `compare`.
        choose(&select.choice(0), &services)?;
        findings.extend(examine(&services).await);
    }
    let worst = findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Good);
    if args.output.json {
        print_json(&findings)?;
    } else {
        print(&shown(&findings))?;
    }
    // A warning leaves a comparison possible.
    Ok(if worst == Level::Missing { Exit::Usage } else { Exit::Done })
}

fn shown(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.what.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for finding in findings {
        let word = match finding.level {
            Level::Good => "ok     ",
            Level::Warning => "warning",
            Level::Missing => "missing",
        };
        text += &wrapped(&format!("{word}  {:<width$}  ", finding.what), &finding.detail);
        if let Some(remedy) = &finding.remedy {
            let what = if finding.level == Level::Good { "note" } else { "to do" };
            text += &wrapped(&format!("{:indent$}{what}: ", "", indent = width + 11), remedy);
        }
    }
    text
}
