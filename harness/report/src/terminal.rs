//! The table that a comparison ends with.

use tare_model::RunRecord;

use crate::against;
use crate::answer::answer;
use crate::baselines::worth;
use crate::catalogue::{self, Below, Entry};
use crate::cells::columns;
use crate::claims::claims;
use crate::conditions::{conditions, controls, reading};
use crate::content::{Content, Other, Style};
use crate::escape;
use crate::failed;
use crate::isolation::isolation;
use crate::layout::{TextColumn, heading, list, table};
use crate::marks::Marks;
use crate::noise::noise;
use crate::overview::overview;
use crate::paint::{PLAIN, Piece};
use crate::phases::phases;
use crate::portability::portability;
use crate::subjects::{Service, granted, services, unavailable};
use crate::sweep::sweep;

/// The result of a run as text for a terminal: for each service its tables (a line per subject), the phases of a cold
/// start and the sweep of rates; then what isolation prevented, where the same component ran, the claims that were judged,
/// what settings are worth, the noise, how to read it all, the marks with their reasons, warnings, the conditions of the
/// run; and last, for the first look, bars of the figures that decide and the answer.
///
/// The record may be of a run that is not finished or of which much failed: what there is, is shown, and what is
/// missing says why. Of one in which every subject failed, only why and what to do.
pub fn terminal(content: &Content<'_>, style: Style) -> String {
    if failed::is_all(content) {
        return without_figures(content.record, style);
    }
    let Content { record, summary, samples, judged, against } = *content;
    let mut marks = Marks::default();
    let mut shown: Vec<&Entry> = Vec::new();
    let mut parts = Vec::new();
    let services = services(record, summary);
    for service in &services {
        let columns = columns(record, summary, &service.subjects, &mut marks);
        shown.extend(columns.iter().map(|(entry, _)| *entry));
        let columns: Vec<TextColumn> = columns.into_iter().map(|(_, column)| column).collect();
        if !columns.is_empty() {
            parts.push(figures(record, service, &columns, &mut marks, style));
        }
        parts.extend(catalogue::with(|entry| entry.below).filter_map(|(entry, below)| match below {
            Below::Phases(heading) => phases(summary, service, entry, heading, style),
            Below::Sweep => sweep(record, summary, service, entry, style),
        }));
        service.mark_failures(record, &mut marks);
    }
    let tables = parts.join("\n");
    if shown.is_empty() {
        parts.push("Nothing was measured.\n".into());
    }
    parts.extend(isolation(record, style));
    let warnings = record.warnings.iter().map(|warning| ("!".into(), warning.trim_end().into())).collect();
    let lists = [
        ("Controls, measured to check the comparison and not to be chosen", controls(record)),
        ("Portability, by the bytes of components", portability(record)),
        ("Claims", claims(judged)),
        ("What settings are worth", worth(record, samples)),
        ("Noise", noise(record, summary)),
        ("How to read it", reading(record, summary, &shown, &tables)),
        ("Marks", marks.entries()),
        ("Cannot be measured", unavailable(record)),
        ("Warnings", warnings),
        ("Conditions", conditions(record, summary)),
    ];
    let lists = lists.iter().filter(|(_, entries)| !entries.is_empty());
    parts.extend(lists.map(|(heading, entries)| list(heading, entries, style)));
    if let Some(other) = against {
        parts.extend(services.iter().filter_map(|service| compared(content, other, service, style)));
        parts.push(list("Against the other run", &against::explained(record, other), style));
    }
    // Last, where a terminal shows it when all is done.
    parts.extend(services.iter().filter_map(|service| overview(record, samples, service, style)));
    let sentences: Vec<String> = answer(content).iter().map(|text| textwrap::fill(text, style.width) + "\n").collect();
    if !sentences.is_empty() {
        parts.push(heading("The answer", style) + &sentences.concat());
    }
    parts.join("\n")
}

/// The table of a service's figures; what a subject was granted is marked at its label.
fn figures(record: &RunRecord, service: &Service, columns: &[TextColumn], marks: &mut Marks, style: Style) -> String {
    let mut label = |subject| format!("{} {}", service.label(subject), granted(record, subject, marks));
    let labels: Vec<Piece> =
        service.subjects.iter().map(|subject| Piece::new(label(subject).trim_end(), PLAIN)).collect();
    let heading = heading(&service.heading(), style);
    format!("{heading}\n{}", table(&labels, columns, style.width, style.colour))
}

/// Why every subject failed, and what to do about it.
fn without_figures(record: &RunRecord, style: Style) -> String {
    let dashed = |says: String| ("–".to_owned(), says);
    let reasons: Vec<_> = failed::reasons(record).into_iter().map(dashed).collect();
    let to_do: Vec<_> = failed::TO_DO.iter().map(|says| dashed((*says).to_owned())).collect();
    [heading(failed::NOTHING, style), list("Why", &reasons, style), list("What to do", &to_do, style)].join("\n")
}

/// The table of the subjects of one service in both runs; `None` where they have none in common.
fn compared(content: &Content<'_>, other: Other<'_>, service: &Service, style: Style) -> Option<String> {
    let columns = against::columns(content, other, &service.subjects);
    let labels: Vec<Piece> = service.subjects.iter().map(|subject| Piece::new(service.label(subject), PLAIN)).collect();
    let heading = heading(&escape::line(&format!("{}, against {}", service.heading(), other.record.run)), style);
    (!columns.is_empty()).then(|| format!("{heading}\n{}", table(&labels, &columns, style.width, style.colour)))
}
