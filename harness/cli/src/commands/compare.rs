//! `compare`: everything, from the build to the table.

use std::time::UNIX_EPOCH;

use anyhow::{Result, bail};
use tare_load::Histogram;
use tare_model::{Group, RunRecord, RunState, Sample, Subject};
use tare_runner::{
    Cancel, Finding, Layout, Level, LoadName, Observer, Options, Progress, StoppingRule, check_files, choose, preflight,
};
use tare_stats::Convergence;

use crate::args::CompareArgs;
use crate::exit::Exit;
use crate::machine;
use crate::present::Measured;
use crate::progress::Display;
use crate::results::{self, RunWriter};
use crate::screen::{say, wrapped};
use crate::services;
use crate::signals::Signals;

/// Runs it.
///
/// # Errors
/// Wrong arguments, a machine that lacks what every comparison needs, or a disk that takes no results.
pub async fn execute(args: CompareArgs) -> Result<Exit> {
    let layout = Layout::find()?;
    let services = services::chosen(&layout, &args.select)?;
    // Any seed will do; it is on the record.
    let seed = args.seed.unwrap_or_else(|| UNIX_EPOCH.elapsed().map_or(0, |now| now.subsec_nanos().into()));
    let choice = args.choice(seed);
    let chosen = choose(&choice, &services)?;
    check_files(&chosen)?;
    let builds = tare_runner::builds(&chosen);
    let claims = results::claims(&layout.claims())?;
    let _alone = machine::take().await?;
    let results = args.results.clone().unwrap_or_else(|| layout.results());
    let reports = args.reports.clone().unwrap_or_else(|| layout.reports());
    check(&preflight(&layout, builds, &[&results, &reports]).await)?;
    let (run, writer) = RunWriter::create(&results)?;
    let mut recorder = Recorder { writer, display: Display::new() };
    let command = args.repeat(seed, layout.installed);
    let mut rule = Rule(Convergence::new(args.suite().precision));
    let options =
        Options { run: &run, layout: &layout, services: &services, suite: args.suite(), choice: &choice, command };
    let cancel = Cancel::default();
    let signals = Signals::listen(&cancel)?;
    let interrupted = measure(&options, (&cancel, &signals), &mut recorder, &mut rule).await?;
    // What is left is to write and to render: the samples are on disk.
    signals.end_at_once();
    let folder = recorder.writer.folder().to_owned();
    let Some((mut record, samples)) = recorder.writer.finish() else { bail!("the run ended before it began") };
    if interrupted {
        record.state = RunState::Interrupted;
        results::write_record(&folder, &record)?;
    }
    let judged = results::write_claims_file(&folder, &claims, &samples)?;
    let measured = Measured { name: &run, folder: &folder, record: &record, samples: &samples, judged: &judged };
    measured.present(&layout, &reports, args.output.json, None)?;
    match record.failed.first() {
        _ if !samples.is_empty() => results::link_latest(&reports, &run),
        Some(failed) => {
            let text = format!("nothing could be measured: {}: {}", failed.subject, failed.reason);
            say(wrapped("error: ", &text).trim_end());
        }
        None => {}
    }
    Ok(exit(&record, &samples))
}

/// Measures until it is done or the user ends it; says whether the latter.
async fn measure(
    options: &Options<'_>,
    (cancel, signals): (&Cancel, &Signals),
    recorder: &mut Recorder,
    rule: &mut Rule,
) -> Result<bool> {
    let done = tokio::select! {
        biased;
        // Whatever waits sees it too, and returns; the run itself is dropped here, and its processes with it.
        () = signals.received() => None,
        done = tare_runner::run(options, cancel, recorder, rule) => Some(done),
    };
    // What ended because the user wished it has not ended by itself.
    let done = done.filter(|_| !cancel.is_set());
    recorder.display.close();
    if done.is_none() {
        say("interrupted: what was measured is kept");
    }
    if let Err(error) = tare_runner::clear(options.layout, options.run, cancel).await {
        say(&format!("warning: something of the run is left: {error:#}; `clean` removes it"));
    }
    Ok(done.transpose()?.is_none())
}

/// Says what is not as it should be.
///
/// # Errors
/// When a comparison cannot run at all.
pub fn check(findings: &[Finding]) -> Result<()> {
    let mut missing = false;
    for finding in findings.iter().filter(|finding| finding.level > Level::Good) {
        let Finding { what, detail, remedy, .. } = finding;
        let word = if finding.level == Level::Missing { "missing" } else { "warning" };
        let remedy = remedy.as_ref().map(|remedy| format!(". {remedy}")).unwrap_or_default();
        say(wrapped(&format!("{word}: "), &format!("{what}: {detail}{remedy}")).trim_end());
        missing |= finding.level == Level::Missing;
    }
    if missing {
        bail!("this machine lacks what a comparison needs; see above");
    }
    Ok(())
}

fn exit(record: &RunRecord, samples: &[Sample]) -> Exit {
    if record.state == RunState::Interrupted {
        Exit::Interrupted
    } else if samples.is_empty() {
        Exit::Usage
    } else if record.failed.is_empty() && record.is_isolated() {
        Exit::Done
    } else {
        Exit::CellFailed
    }
}

/// The rule by which a run stops, as the runner asks it.
struct Rule(Convergence);

impl StoppingRule for Rule {
    fn observe(&mut self, sample: &Sample) {
        self.0.observe(sample);
    }

    fn rounds_wanted(&self, subject: &Subject, group: Group) -> Option<usize> {
        self.0.rounds_wanted(subject, group)
    }
}

/// Writes what the runner finds, and shows how far it is.
struct Recorder {
    writer: RunWriter,
    display: Display,
}

impl Observer for Recorder {
    fn sample(&mut self, sample: &Sample) -> Result<()> {
        self.writer.sample(sample)
    }

    fn record(&mut self, record: &RunRecord) -> Result<()> {
        self.writer.record(record)
    }

    fn latencies(&mut self, load: &LoadName<'_>, latencies: &Histogram<u64>) -> Result<()> {
        self.writer.latencies(load, latencies)
    }

    fn progress(&mut self, progress: &Progress) {
        self.display.show(progress);
    }
}
