//! `build`: everything that a comparison needs.

use anyhow::Result;
use tare_model::{RunRecord, Sample};
use tare_runner::{Cancel, Layout, Observer, Progress, builds, choose, clear, preflight, prepare};

use crate::args::SelectArgs;
use crate::commands::compare::check;
use crate::exit::Exit;
use crate::machine;
use crate::progress::Display;
use crate::screen::{print, say};
use crate::services;
use crate::signals::Signals;

/// What stands for the name of a run.
const RUN: &str = "build";

/// Runs it.
///
/// # Errors
/// Wrong arguments, or a machine that lacks what every build needs.
pub async fn execute(args: SelectArgs) -> Result<Exit> {
    let layout = Layout::find()?;
    let services = services::chosen(&layout, &args)?;
    let chosen = choose(&args.choice(0), &services)?;
    let _alone = machine::take().await?;
    check(&preflight(&layout, builds(&chosen), &[]).await)?;
    let mut shown = Shown(Display::new());
    let cancel = Cancel::default();
    let signals = Signals::listen(&cancel)?;
    let prepared = tokio::select! {
        prepared = prepare(RUN, &layout, &chosen, &cancel, &mut shown) => Some(prepared),
        () = signals.received() => None,
    };
    shown.0.close();
    // What a build command leaves running, or is running when it is interrupted.
    if let Err(error) = clear(&layout, RUN, &cancel).await {
        say(&format!("warning: something of the build is left: {error:#}; `clean` removes it"));
    }
    let Some(prepared) = prepared else {
        say("interrupted: what was built is kept");
        return Ok(Exit::Interrupted);
    };
    let prepared = prepared?;
    for record in prepared.records() {
        print(&format!("{}\n", record.subject))?;
        for artifact in record.artifacts {
            print(&format!("  {:<10} {:>12} bytes  {}\n", artifact.kind, artifact.bytes, artifact.name))?;
        }
    }
    for failed in &prepared.failed {
        say(&format!("failed: {}: {}", failed.subject, failed.reason));
    }
    Ok(if prepared.failed.is_empty() { Exit::Done } else { Exit::CellFailed })
}

struct Shown(Display);

impl Observer for Shown {
    fn sample(&mut self, _: &Sample) -> Result<()> {
        Ok(())
    }

    fn record(&mut self, _: &RunRecord) -> Result<()> {
        Ok(())
    }

    fn progress(&mut self, progress: &Progress) {
        self.0.show(progress);
    }
}
