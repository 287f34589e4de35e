//! What stands below the tables: how to read them, what the marks mean, and under which conditions it was measured.

use tare_model::{Group, LoadPlan, RunRecord, RunState, Unit};
use tare_stats::Summary;

use crate::cells::rounds;
use crate::columns::EXPLANATIONS;
use crate::format::{number, with_unit};
use crate::ladder::objectives;
use crate::marks::Marks;
use crate::paint::{BOLD, MARK, PLAIN, painted};
use crate::terminal::Style;

/// A list under a heading: terms, and what there is to say of them.
pub(crate) fn list(heading: &str, entries: &[(String, String)], style: Style) -> String {
    let term_width = entries.iter().map(|(term, _)| textwrap::core::display_width(term)).max().unwrap_or(0);
    let mut text = painted(heading, BOLD, style.colour) + "\n";
    for (term, says) in entries {
        let first = format!("  {term}{}  ", " ".repeat(term_width - textwrap::core::display_width(term)));
        let further = " ".repeat(term_width + 4);
        let options = textwrap::Options::new(style.width).initial_indent(&first).subsequent_indent(&further);
        let filled = textwrap::fill(says, options);
        let colour = if term.starts_with('[') { MARK } else { PLAIN };
        text += &(filled.replacen(term, &painted(term, colour, style.colour), 1) + "\n");
    }
    text
}

/// How to read the sections that were shown.
pub(crate) fn reading(
    record: &RunRecord,
    summary: &Summary,
    sections: &[String],
    tables: &str,
) -> Vec<(String, String)> {
    let reference = format!("{}/{}", summary.reference.platform, summary.reference.variant);
    let signs = [
        (
            '×',
            format!(
                "the value over that of {reference} in the same round, median over rounds; a warm start over its cold \
                 start where {reference} has no engine of its own"
            ),
        ),
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
        ('–', "not measured".into()),
        ('≈', "each part is a median of its own, so that they add up to the total only about".into()),
    ];
    let mut entries: Vec<(String, String)> = signs
        .into_iter()
        .filter(|(sign, _)| tables.contains(*sign))
        .map(|(sign, says)| (sign.to_string(), says))
        .collect();
    let shown = |section: &str| sections.iter().any(|shown| shown.split(',').next() == Some(section));
    let explained = EXPLANATIONS.iter().filter(|(section, _)| shown(section));
    entries.extend(explained.map(|(section, says)| ((*section).into(), (*says).into())));
    entries.extend(objectives(record).map(|says| ("ladder".into(), says)));
    let counted: Vec<String> = rounds(summary).into_iter().map(counted).collect();
    if !counted.is_empty() {
        entries.push(("rounds".into(), counted.join(", ")));
    }
    entries
}

fn counted((group, least, most): (Group, usize, usize)) -> String {
    match group {
        Group::Size => "size: measured once".into(),
        _ if least == most => format!("{}: {most}", group.name()),
        _ => format!("{}: {least} to {most}", group.name()),
    }
}

/// Each mark and its text.
pub(crate) fn marked(marks: &Marks) -> Vec<(String, String)> {
    marks.texts().map(|(mark, text)| (mark, text.into())).collect()
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
    if record.plan.only.contains(&Group::Load) {
        entries.push(("load".into(), load(record, &record.plan.load)));
    }
    let again = format!("{} (suite {}, seed {})", record.command.join(" "), record.plan.suite, record.plan.seed);
    entries.push(("command".into(), again));
    entries.retain(|(_, says)| !says.is_empty());
    entries
}

fn state(record: &RunRecord, summary: &Summary) -> String {
    let of_rounds = summary.cells.iter().filter(|cell| cell.metric.group != Group::Size);
    let done = of_rounds.map(|cell| cell.value.n).max().unwrap_or(0);
    let state = match record.state {
        RunState::Running => "not finished (it still runs, or was killed)".into(),
        RunState::Complete => "complete".into(),
        RunState::TimeSpent => format!("stopped after its {} s were spent", record.plan.time_limit_s),
        RunState::Interrupted => "interrupted by the user".into(),
    };
    // Sizes are taken once and have no rounds.
    let has_rounds = record.plan.only.iter().any(|group| *group != Group::Size);
    if has_rounds { format!("{state}, {done} of {} rounds", record.plan.rounds) } else { state }
}

/// How much of it became as precise as the suite wants.
fn precision(record: &RunRecord, summary: &Summary) -> Option<(String, String)> {
    let families = record.plan.only.iter().filter_map(|group| {
        let headline = group.headline()?;
        let shown = |cell: &&tare_stats::Cell| cell.metric == headline && cell.phase == headline.headline;
        let all = summary.cells.iter().filter(shown).count();
        let settled = record.settled.iter().filter(|settled| settled.group == *group).count();
        (all > 0).then(|| format!("{settled} of {all} subjects ({})", headline.name))
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
            "open loop of {} s at {}, {:.0} % of what the weakest subject reaches{}",
            plan.open_s,
            rates.join(", "),
            plan.open_share * 100.0,
            if record.controls.is_empty() { "" } else { " (a control that is weaker gets that share of its own)" }
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
