//! `agree`: whether two runs of the same suite on the same machine say the same.

use anyhow::{Result, ensure};
use tare_model::{RunRecord, Subject};
use tare_runner::Layout;
use tare_stats::{Agreement, Cell, agreement};

use crate::args::AgreeArgs;
use crate::exit::Exit;
use crate::results::{self, Run};
use crate::screen::print;

/// Runs it. Exits with 1 where they do not agree.
///
/// # Errors
/// When there is no such run, they are not of the same machine and suite, or have nothing to compare.
pub fn execute(args: &AgreeArgs) -> Result<Exit> {
    let results = args.results.clone().map_or_else(|| Ok(Layout::find()?.results()), anyhow::Ok)?;
    let Run { record: one, samples: one_samples, .. } = results::read(&results, &args.one)?;
    let Run { record: other, samples: other_samples, .. } = results::read(&results, &args.other)?;
    comparable(&one, &other)?;
    let is_common = |subject: &Subject| other.plan.subjects.contains(subject);
    ensure!(
        one.plan.subjects.iter().any(is_common),
        "the runs have no subject in common: they measured different things"
    );
    let found =
        agreement(&results::summary(&one, &one_samples), &results::summary(&other, &other_samples), &one.plan.noise);
    ensure!(found.cells > 0, "no cell has an interval in both runs: it takes six rounds of each");
    print(&told(&found))?;
    print(verdict(found.is_chance()))?;
    Ok(if found.is_chance() { Exit::Done } else { Exit::CellFailed })
}

fn comparable(one: &RunRecord, other: &RunRecord) -> Result<()> {
    ensure!(one.run != other.run, "both are the run `{}`: name another", one.run);
    ensure!(
        one.host.cpu == other.host.cpu && one.host.cpus == other.host.cpus,
        "the runs are of different machines: {} with {} CPUs and {} with {}",
        one.host.cpu,
        one.host.cpus,
        other.host.cpu,
        other.host.cpus
    );
    ensure!(
        one.plan.suite == other.plan.suite,
        "the runs are of different suites, {} and {}: their loads differ",
        one.plan.suite,
        other.plan.suite
    );
    Ok(())
}

fn told(found: &Agreement) -> String {
    let name = |cell: &Cell| format!("{} {} {}", cell.subject, cell.metric.name, cell.phase);
    let mut lines = vec![format!(
        "the intervals of {} of {} cells have nothing in common (chance does that to {} at most, in 99 of 100 pairs of runs)",
        found.apart.len(),
        found.cells,
        found.apart_by_chance()
    )];
    for (one, other) in &found.apart {
        let unit = one.metric.unit;
        lines.push(format!("  {}: {:.4e} and {:.4e} {unit}", name(one), one.value.median, other.value.median));
    }
    if found.noise_cells > 0 {
        lines.push(format!(
            "{} of {} ratios of the reference to itself exclude 1 (chance does that to {} at most)",
            found.noise_excludes_one.len(),
            found.noise_cells,
            found.excluding_by_chance()
        ));
        lines.extend(
            found
                .noise_excludes_one
                .iter()
                .map(|cell| format!("  {}: {:.3}", name(cell), cell.ratio.map_or(f64::NAN, |ratio| ratio.median))),
        );
    }
    lines.join("\n") + "\n"
}

/// What the exit status says, in words.
fn verdict(agree: bool) -> &'static str {
    if agree {
        "the runs agree\n"
    } else {
        "the runs differ: more than chance moved the figures between them (another state of the machine, another version)\n"
    }
}
