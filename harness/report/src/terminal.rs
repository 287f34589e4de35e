//! The table that a comparison ends with.

use tare_model::{RunRecord, Sample, Subject};
use tare_stats::{Judged, Summary};

use crate::against::{self, Other};
use crate::answer::{Sides, answer};
use crate::cells::columns;
use crate::claims::claims;
use crate::conditions::{conditions, list, marked, reading};
use crate::glance::glance;
use crate::isolation::isolation;
use crate::ladder::ladder;
use crate::layout::table;
use crate::marks::{Marks, failures};
use crate::noise::noise;
use crate::paint::{BOLD, PLAIN, Piece, painted};
use crate::phases::phases;
use crate::portability::portability;
use crate::settings::{Pair, settings};
use crate::subjects::{by_service, subjects};

/// How a text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour it, by ANSI escape codes. Colour is never the only sign of anything.
    pub colour: bool,
    /// Columns of the terminal. Tables are broken into blocks to fit, notes are wrapped; under about 60 a column may
    /// stick out.
    pub width: usize,
}

/// What there is to show.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The record of the run.
    pub record: &'a RunRecord,
    /// Its cells.
    pub summary: &'a Summary,
    /// Its samples, for what is compared besides with the reference.
    pub samples: &'a [Sample],
    /// What became of the claims.
    pub judged: &'a [Judged],
    /// Settings that differ in one thing; the first is the difference between the sides.
    pub pairs: &'a [Pair],
    /// Whom the answer is about.
    pub sides: &'a Sides,
    /// Another run, to read this one against.
    pub against: Option<Other<'a>>,
}

/// The result of a run as text for a terminal: for each service its tables (a line per subject), the phases of a cold
/// start and the ladder of rates; then what isolation prevented, where the same component ran, the claims that were judged,
/// what settings are worth, the noise, how to read it all, the marks with their reasons, warnings, the conditions of the
/// run; and last, for the first look, bars of the figures that decide and the answer.
///
/// The record may be of a run that is not finished or of which much failed: what there is, is shown, and what is
/// missing says why.
pub fn terminal(content: &Content<'_>, style: Style) -> String {
    let Content { record, summary, samples, judged, pairs, sides, against } = *content;
    let mut marks = Marks::default();
    let mut sections: Vec<String> = Vec::new();
    let mut parts = Vec::new();
    let subjects = subjects(record, summary);
    for subjects in by_service(&subjects) {
        let columns = columns(record, summary, &subjects, &mut marks);
        sections.extend(columns.iter().map(|column| column.section.clone()));
        if !columns.is_empty() {
            let labels: Vec<Piece> = subjects.iter().map(|subject| Piece::new(subject.setting(), PLAIN)).collect();
            let heading = painted(&subjects[0].service, BOLD, style.colour);
            parts.push(format!("{heading}\n\n{}", table(&labels, &columns, style.width, style.colour)));
        }
        parts.extend(phases(summary, &subjects, style.width, style.colour));
        parts.extend(ladder(record, summary, &subjects, style.width, style.colour));
        // Those that no cell has shown, too.
        subjects.iter().flat_map(|subject| failures(&record.failed, subject, None)).for_each(|text| {
            marks.mark(&text);
        });
    }
    let tables = parts.join("\n");
    if sections.is_empty() {
        parts.push("Nothing was measured.\n".into());
    }
    parts.extend(isolation(record, style));
    let warnings: Vec<(String, String)> =
        record.warnings.iter().map(|warning| ("!".into(), warning.trim_end().into())).collect();
    let controls: Vec<(String, String)> = record.controls.clone().into_iter().collect();
    let lists = [
        ("Controls, measured to check the comparison and not to be chosen", controls),
        ("Portability, by the bytes of components", portability(record)),
        ("Claims", claims(judged)),
        ("What settings are worth", settings(samples, pairs)),
        ("Noise", noise(record, summary)),
        ("How to read it", reading(record, summary, &sections, &tables)),
        ("Marks", marked(&marks)),
        ("Warnings", warnings),
        ("Conditions", conditions(record, summary)),
    ];
    let lists = lists.iter().filter(|(_, entries)| !entries.is_empty());
    parts.extend(lists.map(|(heading, entries)| list(heading, entries, style)));
    if let Some(other) = against {
        parts.extend(by_service(&subjects).iter().filter_map(|subjects| beside(summary, other, subjects, style)));
        parts.push(list("Against the other run", &against::explained(record, other), style));
    }
    // Last, where a terminal shows it when all is done.
    parts.extend(by_service(&subjects).iter().filter_map(|subjects| glance(record, samples, subjects, style)));
    let sentences: Vec<String> =
        answer(samples, sides).iter().map(|text| textwrap::fill(text, style.width) + "\n").collect();
    if !sentences.is_empty() {
        parts.push(format!("{}\n{}", painted("The answer", BOLD, style.colour), sentences.concat()));
    }
    parts.join("\n")
}

/// The table of the subjects of one service in both runs; nothing where they have none in common.
fn beside(summary: &Summary, other: Other<'_>, subjects: &[Subject], style: Style) -> Option<String> {
    let columns = against::columns(summary, other, subjects);
    let labels: Vec<Piece> = subjects.iter().map(|subject| Piece::new(subject.setting(), PLAIN)).collect();
    let heading = painted(&format!("{}, against {}", subjects[0].service, other.record.run), BOLD, style.colour);
    (!columns.is_empty()).then(|| format!("{heading}\n\n{}", table(&labels, &columns, style.width, style.colour)))
}
