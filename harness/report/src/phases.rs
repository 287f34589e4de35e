//! Where the time of a cold start goes.

use tare_model::Subject;
use tare_model::metrics::STARTUP_COLD;
use tare_stats::{Cell, Summary};

use crate::format::Scale;
use crate::paint::{BOLD, PLAIN, Piece, painted};

const TOTAL: &str = "total";

/// For each subject its total and the parts of it, a line each; nothing where no parts were told apart.
pub(crate) fn phases(summary: &Summary, subjects: &[Subject], width: usize, colour: bool) -> Option<String> {
    let of = |subject: &Subject| -> Vec<&Cell> {
        let is_part = |cell: &&Cell| cell.subject == *subject && cell.metric == &STARTUP_COLD;
        summary.cells.iter().filter(is_part).collect()
    };
    let told: Vec<(String, Vec<&Cell>)> = subjects
        .iter()
        .map(|subject| (subject.setting(), of(subject)))
        .filter(|(_, cells)| cells.iter().any(|cell| cell.phase != TOTAL))
        .collect();
    let totals = told.iter().flat_map(|(_, cells)| cells).filter(|cell| cell.phase == TOTAL);
    let scale = Scale::of(STARTUP_COLD.unit, totals.map(|cell| cell.value.median).fold(f64::INFINITY, f64::min));
    let labels = told.iter().map(|(label, _)| Piece::new(label, PLAIN).width()).max()?;
    let heading = format!("where the time of a cold start goes, {}", scale.name);
    let mut text = painted(&heading, BOLD, colour) + "\n";
    for (label, cells) in &told {
        let (total, parts): (Vec<&Cell>, Vec<_>) = cells.iter().partition(|cell| cell.phase == TOTAL);
        let total = total.first().map_or("?".into(), |cell| scale.number(cell.value.median));
        let parts: Vec<String> = parts
            .iter()
            // No-break spaces keep a phase and its figure on one line.
            .map(|cell| format!("{}\u{a0}{}", cell.phase.replace('_', "\u{a0}"), scale.number(cell.value.median)))
            .collect();
        let padding = " ".repeat(labels - Piece::new(label, PLAIN).width());
        let indent = " ".repeat(labels + 2);
        let line = format!("{label}{padding}  {total:>5} ≈ {}", parts.join(" + "));
        let options = textwrap::Options::new(width).subsequent_indent(&indent).break_words(false);
        text += &(textwrap::fill(&line, options).replace('\u{a0}', " ") + "\n");
    }
    Some(text)
}
