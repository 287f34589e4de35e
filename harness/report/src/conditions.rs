//! What stands below the tables: how to read them, and under which conditions it was measured.

use tare_model::metrics::STARTUP_WARM;
use tare_model::{Arrivals, Group, LoadPlan, RunRecord, RunState, Subject, Unit};
use tare_stats::{Cell, Summary};

use crate::catalogue::Entry;
use crate::cells::rounds;
use crate::format::{number, with_unit};
use crate::sweep;

/// How to read tables: the signs that stand in their text, the entries that have a column, and the sweep.
pub(crate) fn reading(
    record: &RunRecord,
    summary: &Summary,
    shown: &[&'static Entry],
    tables: &str,
) -> Vec<(String, String)> {
    let signs = [
        ('×', over(summary, shown)),
        (
            '±',
            "the 95 % interval of the median (between order statistics) lies within this share of it; both ends are in \
             summary.csv"
                .into(),
        ),
        (
            '~',
            "all rounds lie within this share of the median: a range, as fewer than six rounds have no 95 % interval"
                .into(),
        ),
        ('–', if record.unavailable.is_empty() { "not measured".into() } else { "not measured, or cannot be".into() }),
        ('≈', "each part is a median of its own, so that they add up to the total only about".into()),
    ];
    let mut entries: Vec<(String, String)> = signs
        .into_iter()
        .filter(|(sign, _)| tables.contains(*sign))
        .map(|(sign, says)| (sign.to_string(), says))
        .collect();
    entries.extend(sections(record, shown));
    entries.extend(sweep::explained(record).map(|says| ("rate sweep".into(), says)));
    let counted: Vec<String> = rounds(summary).into_iter().map(counted).collect();
    if !counted.is_empty() {
        entries.push(("rounds".into(), counted.join(", ")));
    }
    entries
}

/// What ratios are over.
fn over(summary: &Summary, shown: &[&Entry]) -> String {
    let warm = shown.iter().any(|entry| *entry.metric == STARTUP_WARM);
    let warm = if warm { "; a warm start over its cold start where it has no engine of its own" } else { "" };
    format!(
        "the value over that of {} in the same round, median over rounds: not always the quotient of the medians shown{warm}",
        references(summary, |_| true)
    )
}

/// What the ratios of these cells are over: the variant where it is the same for all services, or else that of each. Empty
/// where there are no ratios.
pub(crate) fn references(summary: &Summary, of: impl Fn(&Cell) -> bool) -> String {
    let mut found: Vec<&Subject> = Vec::new();
    for cell in summary.cells.iter().filter(|cell| cell.ratio.is_some() && of(cell)) {
        if let Some(reference) = summary.reference.of(&cell.subject.service).filter(|it| !found.contains(it)) {
            found.push(reference);
        }
    }
    match found.first() {
        Some(first) if found.iter().all(|other| other.variant_id() == first.variant_id()) => {
            first.variant_id().to_string()
        }
        _ => {
            let named = found.iter().map(|subject| format!("{} ({})", subject.variant_id(), subject.service));
            named.collect::<Vec<_>>().join(", ")
        }
    }
}

/// What the figures of each section are, of those that were shown.
fn sections(record: &RunRecord, shown: &[&'static Entry]) -> Vec<(String, String)> {
    let mut sections: Vec<(&str, Vec<String>)> = Vec::new();
    let mut explained: Vec<&str> = Vec::new();
    for entry in shown {
        let Some(column) = entry.column.filter(|column| !explained.contains(&column.title)) else { continue };
        explained.push(column.title);
        let says = format!("{}: {}", column.title, entry.explained(&record.metrics));
        match sections.iter_mut().find(|(name, _)| *name == entry.section.name) {
            Some((_, texts)) => texts.push(says),
            None => {
                let common = Some(entry.section.explanation.to_owned()).filter(|common| !common.is_empty());
                sections.push((entry.section.name, common.into_iter().chain([says]).collect()));
            }
        }
    }
    sections.into_iter().map(|(name, texts)| (name.to_owned(), texts.join("; "))).collect()
}

fn counted((group, least, most): (Group, usize, usize)) -> String {
    match group {
        Group::Size => "size: measured once".into(),
        _ if least == most => format!("{}: {most}", group.name()),
        _ => format!("{}: {least} to {most}", group.name()),
    }
}

/// What the controls among the subjects show and do not show.
pub(crate) fn controls(record: &RunRecord) -> Vec<(String, String)> {
    record.controls().into_iter().map(|(id, shows)| (id.to_string(), shows.to_owned())).collect()
}

/// The machine, the versions, the load and the state of the run.
pub(crate) fn conditions(record: &RunRecord, summary: &Summary) -> Vec<(String, String)> {
    let host = &record.host;
    let mut machine = vec![format!(
        "{}, kernel {}, {}, {}, {} CPUs, {} of memory, cgroup {}, load average {:.2} at the start",
        host.os,
        host.kernel,
        host.arch,
        host.cpu,
        host.cpus,
        with_unit(Unit::Bytes, host.memory_bytes as f64),
        host.cgroup,
        host.load_average
    )];
    machine.extend(host.conditions.iter().map(|(name, value)| format!("{name}: {value}")));
    let versions: Vec<String> = record.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let commit = record.git_commit.iter().map(|commit| format!("commit {commit}"));
    let mut entries = vec![
        ("run".into(), format!("{}, started {}: {}", record.run, record.started, state(record, summary))),
        ("machine".into(), machine.join(", ")),
        ("versions".into(), versions.into_iter().chain(commit).collect::<Vec<_>>().join(", ")),
    ];
    entries.extend(precision(record, summary));
    if record.plan.only.contains(&Group::Startup) && record.plan.starts_s > 0.0 {
        let often = format!(
            "one with each instance that is measured, and as many more as {} s a round allow; the median of a round counts",
            record.plan.starts_s
        );
        entries.push(("starts".into(), often));
    }
    if record.plan.only.contains(&Group::Load) {
        entries.push(("load".into(), load(record, &record.plan.load)));
    }
    let again = format!("{} (suite {}, seed {})", command(record), record.plan.suite, record.plan.seed);
    entries.push(("command".into(), again));
    entries.retain(|(_, says)| !says.is_empty());
    entries
}

/// Returns the command of the run as a shell takes it: a word with a space in it is quoted.
pub(crate) fn command(record: &RunRecord) -> String {
    // It fails for a word with a NUL, which no program can be given.
    shlex::try_join(record.command.iter().map(String::as_str)).unwrap_or_else(|_| record.command.join(" "))
}

fn state(record: &RunRecord, summary: &Summary) -> String {
    let of_rounds = summary.cells.iter().filter(|cell| cell.metric.group != Group::Size);
    let done = of_rounds.map(|cell| cell.value.n).max().unwrap_or(0);
    let state = match record.state {
        RunState::Running => "not finished (it still runs, or was killed)".into(),
        RunState::Complete => "complete".into(),
        RunState::TimeSpent => format!("stopped after its {} s were spent", record.plan.time_limit_s),
        RunState::Interrupted => "interrupted by the user".into(),
        RunState::Unknown => "in a state that this version does not know".into(),
    };
    // Sizes are taken once and have no rounds.
    let has_rounds = record.plan.only.iter().any(|group| *group != Group::Size);
    if has_rounds { format!("{state}, {done} of {} rounds", record.plan.rounds) } else { state }
}

/// How much of it became as precise as the suite wants.
fn precision(record: &RunRecord, summary: &Summary) -> Option<(String, String)> {
    let families = record.plan.only.iter().filter_map(|group| {
        let headline = group.headline()?;
        let shown = |cell: &&Cell| cell.metric == headline && headline.is_headline(&cell.phase);
        let all = summary.cells.iter().filter(shown).count();
        let converged = record.converged.iter().filter(|converged| converged.group == *group).count();
        (all > 0).then(|| format!("{converged} of {all} subjects ({})", headline.name))
    });
    let families: Vec<String> = families.collect();
    (!families.is_empty()).then(|| {
        let says = format!(
            "measured until the 95 % interval of the headline figure lies within {:.0} % of it: {}; the others until the \
             time or the rounds were spent",
            record.plan.precision * 100.0,
            families.join(", ")
        );
        ("precision".into(), says)
    })
}

fn load(record: &RunRecord, plan: &LoadPlan) -> String {
    let calibration = &record.calibration;
    let mut parts = vec![format!("{} connections", plan.connections)];
    let rate = |(service, rate): (&String, &f64)| format!("{} requests/s ({service})", number(*rate));
    let rates: Vec<String> = calibration.open_rate_rps.iter().map(rate).collect();
    if !rates.is_empty() {
        parts.push(format!(
            "open loop of {} s at {}, {:.0} % of what the weakest subject reaches{}, {}",
            plan.open_s,
            rates.join(", "),
            plan.open_share * 100.0,
            if record.controls().is_empty() { "" } else { " (a control that is weaker gets that share of its own)" },
            match plan.arrivals {
                Arrivals::Random => "requests at random times as of many users (Poisson)",
                Arrivals::Even => "requests evenly spread, which is gentler than users are",
                Arrivals::Unknown => "requests at times that this version does not know how to name",
            }
        ));
    }
    parts.push(format!("closed loop of {} s", plan.closed_s));
    let steady = match plan.warmup_steady {
        steady if steady > 0.0 => format!(" until two medians agree within {:.0} %", steady * 100.0),
        _ => String::new(),
    };
    parts.push(format!("each after a warm-up in windows of {} s{steady}", plan.warmup_s));
    if let Some(ceiling) = calibration.generator_ceiling_rps {
        parts.push(format!("the generator's ceiling is {} requests/s", number(ceiling)));
    }
    if !calibration.generator_cpus.is_empty() && !calibration.subject_cpus.is_empty() {
        let (generator, subjects) = (cpus(&calibration.generator_cpus), cpus(&calibration.subject_cpus));
        let awake = if calibration.generator_polls { ", which it keeps awake" } else { "" };
        parts.push(format!("generator on CPU {generator}{awake}, subjects on CPU {subjects}"));
    }
    parts.join("; ")
}

fn cpus(cpus: &[usize]) -> String {
    cpus.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}
