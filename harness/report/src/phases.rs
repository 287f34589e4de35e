//! Where the time of a start goes.

use tare_stats::{Cell, Summary};

use crate::catalogue::Entry;
use crate::content::Style;
use crate::escape;
use crate::format::Scale;
use crate::layout;
use crate::paint::{PLAIN, Piece};
use crate::subjects::Service;

/// For each subject the total and the phases that add up to it, a line each; `None` where no phases were known.
pub(crate) fn phases(
    summary: &Summary,
    service: &Service,
    entry: &Entry,
    heading: &str,
    style: Style,
) -> Option<String> {
    let is_total = |cell: &&Cell| cell.phase == entry.phase;
    let shown: Vec<(String, Vec<&Cell>)> = service
        .subjects
        .iter()
        .map(|subject| {
            let is_part = |cell: &&Cell| cell.subject == *subject && cell.metric == entry.metric;
            (service.label(subject), summary.cells.iter().filter(is_part).collect::<Vec<_>>())
        })
        .filter(|(_, cells)| cells.iter().any(|cell| !is_total(cell)))
        .collect();
    let totals = shown.iter().flat_map(|(_, cells)| cells).filter(|cell| is_total(cell));
    let scale = Scale::of(entry.metric.unit, totals.map(|cell| cell.value.median).fold(f64::INFINITY, f64::min));
    let labels = shown.iter().map(|(label, _)| Piece::new(label, PLAIN).width()).max()?;
    // Of a label that takes up the width, what follows begins where it may.
    let indent = " ".repeat((labels + 2).min(style.width / 2));
    let mut text = layout::heading(&format!("{heading}, {}", scale.name), style);
    for (label, cells) in &shown {
        let (total, parts): (Vec<&Cell>, Vec<_>) = cells.iter().partition(|cell| is_total(cell));
        let total = total.first().map_or("?".into(), |cell| scale.number(cell.value.median));
        let parts: Vec<String> = parts
            .iter()
            // No-break spaces keep a phase and its figure on one line.
            .map(|cell| {
                let name = escape::line(&cell.phase.name).replace('_', "\u{a0}");
                format!("{name}\u{a0}{}", scale.number(cell.value.median))
            })
            .collect();
        let padding = " ".repeat(labels - Piece::new(label, PLAIN).width());
        let line = format!("{label}{padding}  {total:>5} ≈ {}", parts.join(" + "));
        let options = textwrap::Options::new(style.width).subsequent_indent(&indent);
        text += &(textwrap::fill(&line, options).replace('\u{a0}', " ") + "\n");
    }
    Some(text)
}
