//! The result of a run as Markdown, for a pull request or a post.

use tare_model::metrics::{
    CPU_PER_REQUEST, LATENCY, MEMORY_ENGINE, MEMORY_PER_INSTANCE, MEMORY_PSS, SIZE, STARTUP_COLD, SUSTAINED_RATE,
    THROUGHPUT,
};
use tare_model::{Metric, Subject, Verdict};
use tare_stats::Summary;

use crate::Content;
use crate::answer::answer;
use crate::claims::{cases, flips, was_measured};
use crate::conditions::conditions;
use crate::format::{Scale, spread};
use crate::marks::failures;
use crate::subjects::{by_service, subjects};

/// A heading, a metric, its phase, and another that stands behind a plus.
type Shown = (&'static str, &'static Metric, &'static str, Option<(&'static Metric, &'static str)>);

/// What is shown of each subject.
const SHOWN: &[Shown] = &[
    ("shipped", &SIZE, "artifact", None),
    ("cold start", &STARTUP_COLD, "total", None),
    ("idle memory", &MEMORY_PSS, "idle", Some((&MEMORY_ENGINE, "idle"))),
    ("one more instance", &MEMORY_PER_INSTANCE, "total", None),
    ("full load", &THROUGHPUT, "closed", None),
    ("CPU per request", &CPU_PER_REQUEST, "closed", None),
    ("99th percentile", &LATENCY, "open_p99", None),
    ("sustained", &SUSTAINED_RATE, "p99", None),
];

/// The answer, a table for each service, the claims, and the conditions with the command that repeats the run.
pub fn markdown(content: &Content<'_>) -> String {
    let Content { record, summary, samples, judged, sides, .. } = *content;
    let mut text = String::from("# Wasm component or container?\n\n");
    text.extend(answer(samples, sides).iter().map(|sentence| format!("- {sentence}\n")));
    let subjects = subjects(record, summary);
    for subjects in by_service(&subjects) {
        text += &table(summary, &subjects);
    }
    text += "\nMedians over rounds; ± is how far the 95 % interval of the median reaches, ~ the range where there are fewer than \
             six rounds. Idle memory: PSS of the processes of the service + what the engine runs beside them.\n";
    let rows: Vec<String> = judged
        .iter()
        .filter(|one| was_measured(one))
        .map(|one| {
            let verdict = one.verdict();
            let sign = match verdict {
                Verdict::Holds => "✓",
                Verdict::DoesNotHold => "✗",
                Verdict::Undecided => "?",
            };
            let best = if one.best.is_empty() { String::new() } else { cases(one, &one.best) };
            let cells = [
                one.claim
                    .reading
                    .iter()
                    .fold(one.claim.claim.clone(), |claim, reading| format!("{claim} (read as: {reading})")),
                one.claim.figure.clone(),
                cases(one, &one.usual),
                best,
                format!("{sign} {verdict}. {}", flips(one, verdict).unwrap_or_default()),
            ];
            row(&cells)
        })
        .collect();
    if !rows.is_empty() {
        text +=
            "\n## Claimed and measured\n\n| claim | claimed | defaults | at best | verdict |\n|---|---|---|---|---|\n";
        text += &rows.concat();
    }
    let failed = subjects.iter().flat_map(|subject| failures(&record.failed, subject, None));
    let failed: Vec<String> = failed.map(|failure| format!("- {}\n", escaped(&failure))).collect();
    if !failed.is_empty() {
        text += "\n## Failed\n\n";
        text += &failed.concat();
    }
    text += "\n## Conditions\n\n";
    let warnings = record.warnings.iter().map(|warning| ("warning".to_owned(), warning.clone()));
    let entries = conditions(record, summary).into_iter().chain(warnings);
    text.extend(entries.map(|(term, says)| format!("- **{term}**: {}\n", escaped(&says))));
    text
}

/// A row for each subject, a column for whatever any of them has.
fn table(summary: &Summary, subjects: &[Subject]) -> String {
    let columns = SHOWN.iter().filter_map(|(heading, metric, phase, and)| {
        let values: Vec<_> = subjects.iter().map(|subject| summary.cell(subject, metric, phase)).collect();
        let least = values.iter().flatten().map(|cell| cell.value.median).filter(|value| *value > 0.0);
        let scale = Scale::of(metric.unit, least.reduce(f64::min)?);
        let cells = subjects.iter().zip(values).map(|(subject, cell)| {
            let Some(cell) = cell else { return "–".to_owned() };
            let more = and.and_then(|(metric, phase)| summary.cell(subject, metric, phase));
            let more = more.map_or_else(String::new, |more| format!(" + {}", scale.number(more.value.median)));
            if summary.is_lower_bound(cell) {
                return format!("≥ {}", scale.number(cell.value.median));
            }
            format!("{} {}{more}", scale.number(cell.value.median), spread(&cell.value)).trim_end().to_owned()
        });
        let heading = if scale.name.is_empty() { (*heading).to_owned() } else { format!("{heading}, {}", scale.name) };
        Some((heading, cells.collect::<Vec<String>>()))
    });
    let columns: Vec<(String, Vec<String>)> = columns.collect();
    let Some(first) = subjects.first().filter(|_| !columns.is_empty()) else { return String::new() };
    let headings = std::iter::once(first.service.clone()).chain(columns.iter().map(|(heading, _)| heading.clone()));
    let mut text = format!("\n{}|---|{}\n", row(&headings.collect::<Vec<_>>()), "---|".repeat(columns.len()));
    for (place, subject) in subjects.iter().enumerate() {
        let cells = std::iter::once(subject.setting()).chain(columns.iter().map(|(_, cells)| cells[place].clone()));
        text += &row(&cells.collect::<Vec<_>>());
    }
    text
}

fn row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| escaped(cell.trim())).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// What would end a cell or a line.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
