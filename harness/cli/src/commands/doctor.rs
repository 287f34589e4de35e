//! `doctor`: what this machine has and lacks.

use anyhow::Result;
use tare_runner::{Layout, Level, preflight};

use crate::args::OutputArgs;
use crate::exit::Exit;
use crate::screen::{print, print_json};

/// Runs it.
///
/// # Errors
/// Outside a checkout.
pub async fn execute(args: &OutputArgs) -> Result<Exit> {
    let findings = preflight(&Layout::find()?).await;
    let worst = findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Good);
    if args.json {
        print_json(&findings)?;
    } else {
        for finding in &findings {
            let word = match finding.level {
                Level::Good => "ok     ",
                Level::Warning => "warning",
                Level::Missing => "missing",
            };
            print(&format!("{word}  {:<16}  {}\n", finding.what, finding.detail))?;
            if let Some(remedy) = &finding.remedy {
                print(&format!("{:27}to do: {remedy}\n", ""))?;
            }
        }
    }
    // A warning leaves a comparison possible.
    Ok(if worst == Level::Missing { Exit::Usage } else { Exit::Done })
}
