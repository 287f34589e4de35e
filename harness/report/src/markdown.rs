//! The result of a run as Markdown, for a pull request or a post.

use tare_model::{MetricRecord, RunRecord, Verdict};
use tare_stats::{Cell, Judged, Summary};

use crate::answer::answer;
use crate::catalogue::{self, Entry};
use crate::cells::Doubts;
use crate::claims::{cases, flips, too_few, was_measured};
use crate::conditions::conditions;
use crate::content::Content;
use crate::escape;
use crate::failed;
use crate::format::{Scale, spread};
use crate::marks::{FEW, Marks, failures};
use crate::sides::title;
use crate::subjects::{Service, granted, services, unavailable};

/// What stands before a value that is added to another.
const PLUS: &str = " + ";

/// The answer, a table for each service, the claims, and the conditions with the command that repeats the run.
pub fn markdown(content: &Content<'_>) -> String {
    let Content { record, summary, judged, .. } = *content;
    let services = services(record, summary);
    let subjects = || services.iter().flat_map(|service| &service.subjects);
    let mut text = format!("# {}\n", title(record, subjects()));
    if failed::is_all(content) {
        let why = list("Why", failed::reasons(record).into_iter());
        let to_do = list("What to do", failed::TO_DO.iter().map(|says| (*says).to_owned()));
        return format!("{text}\n{}\n{why}{to_do}{}", failed::NOTHING, circumstances(record, summary));
    }
    let answer = answer(content);
    if !answer.is_empty() {
        text.push('\n');
        text.extend(answer.iter().map(|sentence| format!("- {}\n", escape::markdown(sentence))));
    }
    let mut marks = Marks::default();
    let mut shown: Vec<&Column> = Vec::new();
    let doubts = Doubts { record, summary };
    let columns: Vec<Vec<Column>> = services.iter().map(|service| columns(&doubts, service, &mut marks)).collect();
    for (service, columns) in services.iter().zip(&columns) {
        shown.extend(columns);
        text += &table(record, service, columns, &mut marks);
    }
    if shown.is_empty() {
        text += "\nNothing was measured.\n";
    } else {
        text += &reading(&shown, &record.metrics);
    }
    text += &list("", marks.texts().map(|(mark, says)| format!("{mark} {says}")));
    text += &claims(judged);
    text += &list("Cannot be measured", unavailable(record).into_iter().map(|(_, says)| says));
    text += &list("Failed", subjects().flat_map(|subject| failures(&record.failed, subject, None)));
    text + &circumstances(record, summary)
}

/// The conditions of the run, and what is to be known of it.
fn circumstances(record: &RunRecord, summary: &Summary) -> String {
    let mut text = "\n## Conditions\n\n".to_owned();
    let warnings = record.warnings.iter().map(|warning| ("warning".to_owned(), warning.clone()));
    let entries = conditions(record, summary).into_iter().chain(warnings);
    text.extend(entries.map(|(term, says)| format!("- **{term}**: {}\n", escape::markdown(&says))));
    text
}

/// Entries under a heading, where there are any.
fn list(heading: &str, entries: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    text.extend(entries.map(|entry| format!("- {}\n", escape::markdown(&entry))));
    match (text.is_empty(), heading.is_empty()) {
        (true, _) => text,
        (false, true) => format!("\n{text}"),
        (false, false) => format!("\n## {heading}\n\n{text}"),
    }
}

/// A column of a service's table: a text for each of its subjects.
struct Column {
    entry: &'static Entry,
    heading: String,
    cells: Vec<String>,
}

/// The columns of which any subject of a service has something.
fn columns(doubts: &Doubts<'_>, service: &Service, marks: &mut Marks) -> Vec<Column> {
    let summary = doubts.summary;
    let found = catalogue::with(|entry| entry.markdown).filter_map(|(entry, heading)| {
        let of_subject = |subject| summary.cell(subject, entry.metric, entry.phase);
        let values: Vec<Option<&Cell>> = service.subjects.iter().map(of_subject).collect();
        let least = values.iter().flatten().map(|cell| cell.value.median).filter(|value| *value > 0.0);
        let scale = Scale::of(entry.metric.unit, least.reduce(f64::min)?);
        let mut cell = |cell: Option<&Cell>| {
            let Some(cell) = cell else { return "–".to_owned() };
            let marks: String = doubts.of(cell).iter().map(|text| marks.mark(text)).collect();
            format!("{} {marks}", figure(summary, entry, cell, scale)).trim_end().to_owned()
        };
        let heading = format!("{heading}, {}", scale.name).trim_end_matches(", ").to_owned();
        Some(Column { entry, heading, cells: values.into_iter().map(&mut cell).collect() })
    });
    found.collect()
}

/// A value, how far it may be off, and what is added to it.
fn figure(summary: &Summary, entry: &Entry, cell: &Cell, scale: Scale) -> String {
    let value = scale.number(cell.value.median);
    if summary.is_lower_bound(cell) {
        return format!("≥ {value}");
    }
    let more = entry.plus.and_then(|(metric, phase)| summary.cell(&cell.subject, metric, phase));
    let more = more.map_or_else(String::new, |more| format!("{PLUS}{}", scale.number(more.value.median)));
    format!("{value} {}", spread(&cell.value)).trim_end().to_owned() + &more
}

/// A row for each subject; empty where no column has anything.
fn table(record: &RunRecord, service: &Service, columns: &[Column], marks: &mut Marks) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let headings = std::iter::once(service.heading()).chain(columns.iter().map(|column| column.heading.clone()));
    let mut text = format!("\n{}|---|{}\n", row(&headings.collect::<Vec<_>>()), "---|".repeat(columns.len()));
    for (place, subject) in service.subjects.iter().enumerate() {
        let label = format!("{} {}", service.label(subject), granted(record, subject, marks));
        let cells = std::iter::once(label).chain(columns.iter().map(|column| column.cells[place].clone()));
        text += &row(&cells.collect::<Vec<_>>());
    }
    text
}

/// How to read the tables.
fn reading(shown: &[&Column], metrics: &[MetricRecord]) -> String {
    let summary = |name: &str| metrics.iter().find(|metric| metric.name == name).map(|metric| metric.summary.as_str());
    let mut text =
        "\nMedians over rounds; ± is how far the 95 % interval of the median reaches, ~ the range where there are \
                    fewer than six rounds."
            .to_owned();
    for (entry, heading) in catalogue::with(|entry| entry.markdown) {
        let has_more = |column: &&&Column| column.cells.iter().any(|cell| cell.contains(PLUS));
        let is_shown = shown.iter().filter(has_more).any(|column| std::ptr::eq(column.entry, entry));
        if let Some((plus, _)) = entry.plus.filter(|_| is_shown) {
            let of = summary(entry.metric.name).unwrap_or(entry.metric.summary);
            let and = summary(plus.name).unwrap_or(plus.summary);
            text.push(' ');
            text += &escape::markdown(&format!("In {heading}: {of}{PLUS}{and}."));
        }
    }
    text + "\n"
}

/// The claims of which something was measured; empty for none.
fn claims(judged: &[Judged]) -> String {
    let rows = judged.iter().filter(|one| was_measured(one)).map(|one| {
        let verdict = one.verdict();
        let sign = match verdict {
            Verdict::Holds => "✓",
            Verdict::DoesNotHold => "✗",
            Verdict::Undecided => "?",
        };
        let best = if one.best.is_empty() { String::new() } else { cases(one, &one.best) };
        let reading = one.claim.reading.iter();
        row(&[
            reading.fold(one.claim.claim.clone(), |claim, reading| format!("{claim} (read as: {reading})")),
            one.claim.figure.clone(),
            cases(one, &one.usual),
            best,
            format!("{sign} {verdict}. {}", flips(one, verdict).unwrap_or_default()),
        ])
    });
    let rows: String = rows.collect();
    if rows.is_empty() {
        return rows;
    }
    let few = too_few(judged).map_or_else(String::new, |says| format!("\n{FEW} {}.\n", escape::markdown(&says)));
    format!(
        "\n## Claimed and measured\n\n| claim | claimed | defaults | at best | verdict |\n|---|---|---|---|---|\n{rows}{few}"
    )
}

fn row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| escape::markdown(cell.trim())).collect();
    format!("| {} |\n", cells.join(" | "))
}
