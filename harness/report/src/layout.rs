//! Tables, in as many blocks as the width asks for, and lists.

use crate::content::Style;
use crate::escape;
use crate::paint::{BOLD, DIM, Line, MARK, PLAIN, Piece, painted};

/// Spaces between columns.
const GAP: usize = 2;

/// The text of a cell.
#[derive(Debug, Clone)]
pub(crate) enum TableCell {
    /// A value, its spread, the ratio, its spread, and marks: aligned each for itself.
    Figures([Piece; 5]),
    /// Anything else.
    Whole(Vec<Piece>),
}

impl TableCell {
    /// Its text, without its layout.
    pub(crate) fn text(&self) -> String {
        let pieces = match self {
            Self::Figures(pieces) => &pieces[..],
            Self::Whole(pieces) => pieces,
        };
        pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// A column with all of its text.
#[derive(Debug, Clone)]
pub(crate) struct TextColumn {
    pub section: String,
    pub title: String,
    pub cells: Vec<TableCell>,
}

impl TextColumn {
    /// The widths of the five parts of figures.
    fn parts(&self) -> [usize; 5] {
        let mut widths = [0; 5];
        for cell in &self.cells {
            if let TableCell::Figures(pieces) = cell {
                widths.iter_mut().zip(pieces).for_each(|(width, piece)| *width = piece.width().max(*width));
            }
        }
        widths
    }

    fn width(&self) -> usize {
        let figures = joined(self.parts());
        let whole = |cell: &TableCell| match cell {
            TableCell::Figures(_) => 0,
            TableCell::Whole(pieces) => joined(pieces.iter().map(Piece::width)),
        };
        let title = textwrap::core::display_width(&self.title);
        self.cells.iter().map(whole).fold(figures.max(title), usize::max)
    }
}

/// The width of parts with one space between those that are not empty.
fn joined(widths: impl IntoIterator<Item = usize>) -> usize {
    widths.into_iter().filter(|width| *width > 0).map(|width| width + 1).sum::<usize>().saturating_sub(1)
}

/// A table: a line per label, the columns side by side under their sections' headings. What does not fit into the
/// width goes below, under labels again; sections stay together where they can.
pub(crate) fn table(labels: &[Piece], columns: &[TextColumn], width: usize, colour: bool) -> String {
    let label_width = labels.iter().map(Piece::width).max().unwrap_or(0);
    let columns = under_headings(columns);
    let blocks = blocks(&columns, width.saturating_sub(label_width));
    let block = |columns: &&[&TextColumn]| {
        let mut text = headings(columns, label_width, colour);
        for (row, label) in labels.iter().enumerate() {
            let mut line = Line::new(colour);
            line.left(label, label_width);
            for column in *columns {
                line.space(GAP);
                cell(&mut line, column, row);
            }
            text += &line.finish();
        }
        text
    };
    blocks.iter().map(|columns| block(&&columns[..])).collect::<Vec<_>>().join("\n")
}

/// The columns, so wide that each section is as wide as its heading.
fn under_headings(columns: &[TextColumn]) -> Vec<TextColumn> {
    let mut columns = columns.to_vec();
    for section in columns.chunk_by_mut(|a, b| a.section == b.section) {
        let width = section.iter().map(|column| column.width() + GAP).sum::<usize>() - GAP;
        let lacking = textwrap::core::display_width(&section[0].section).saturating_sub(width);
        if let Some(last) = section.last_mut().filter(|_| lacking > 0) {
            let blank = last.width() + lacking - textwrap::core::display_width(&last.title);
            last.title += &" ".repeat(blank);
        }
    }
    columns
}

/// The columns of each block.
fn blocks(columns: &[TextColumn], width: usize) -> Vec<Vec<&TextColumn>> {
    let mut blocks: Vec<Vec<&TextColumn>> = Vec::new();
    let taken = |columns: &[&TextColumn]| columns.iter().map(|column| column.width() + GAP).sum::<usize>();
    for section in columns.chunk_by(|a, b| a.section == b.section) {
        let section: Vec<&TextColumn> = section.iter().collect();
        match blocks.last_mut() {
            Some(block) if taken(block) + taken(&section) <= width => block.extend(section),
            _ if taken(&section) <= width => blocks.push(section),
            _ => {
                for column in section {
                    match blocks.last_mut() {
                        Some(block) if taken(block) + taken(&[column]) <= width => block.push(column),
                        _ => blocks.push(vec![column]),
                    }
                }
            }
        }
    }
    blocks
}

fn headings(columns: &[&TextColumn], label_width: usize, colour: bool) -> String {
    let (mut sections, mut titles) = (Line::new(colour), Line::new(colour));
    sections.space(label_width);
    titles.space(label_width);
    for section in columns.chunk_by(|a, b| a.section == b.section) {
        let width = section.iter().map(|column| column.width() + GAP).sum::<usize>() - GAP;
        let heading = Piece::new(&section[0].section, BOLD);
        let room = width.saturating_sub(heading.width());
        let rule = Piece::new("─".repeat(room.saturating_sub(1)), DIM);
        sections.space(GAP);
        sections.left(&heading, heading.width());
        sections.space(room.min(1));
        sections.left(&rule, rule.width());
        for column in section {
            titles.space(GAP);
            titles.left(&Piece::new(column.title.trim_end(), PLAIN), column.width());
        }
    }
    sections.finish() + &titles.finish()
}

fn cell(line: &mut Line, column: &TextColumn, row: usize) {
    let width = column.width();
    match &column.cells[row] {
        TableCell::Whole(pieces) => {
            for (place, piece) in pieces.iter().enumerate() {
                line.space(usize::from(place > 0));
                line.left(piece, piece.width());
            }
            line.space(width - joined(pieces.iter().map(Piece::width)));
        }
        TableCell::Figures(pieces) => {
            let parts = column.parts();
            let mut first = true;
            for ((place, piece), part) in pieces.iter().enumerate().zip(parts).filter(|(_, part)| *part > 0) {
                line.space(usize::from(!std::mem::take(&mut first)));
                // Numbers end where their units do, the rest begins together.
                if place == 0 || place == 2 { line.right(piece, part) } else { line.left(piece, part) }
            }
            line.space(width - joined(parts));
        }
    }
}

/// A heading, which may have names of any length in it.
pub(crate) fn heading(text: &str, style: Style) -> String {
    let lines = textwrap::wrap(text, style.width);
    lines.iter().map(|line| painted(line, BOLD, style.colour) + "\n").collect()
}

/// A list under a heading: terms, and what there is to say of them. A term that takes more than a third of the width has a
/// line of its own.
pub(crate) fn list(heading: &str, entries: &[(String, String)], style: Style) -> String {
    let width = |term: &str| textwrap::core::display_width(term);
    let entries: Vec<(String, String)> =
        entries.iter().map(|(term, says)| (escape::line(term), escape::lines(says))).collect();
    let fits = |term: &str| width(term) <= style.width / 3;
    let column = entries.iter().filter(|(term, _)| fits(term)).map(|(term, _)| width(term)).max().unwrap_or(0);
    let further = " ".repeat(column + 4);
    let mut text = self::heading(heading, style);
    for (term, says) in &entries {
        let first = if fits(term) {
            format!("  {term}{}  ", " ".repeat(column - width(term)))
        } else {
            let options = textwrap::Options::new(style.width).initial_indent("  ").subsequent_indent("  ");
            text += &(textwrap::fill(term, options) + "\n");
            further.clone()
        };
        let options = textwrap::Options::new(style.width).initial_indent(&first).subsequent_indent(&further);
        let filled = textwrap::fill(says, options);
        let colour = if term.starts_with('[') { MARK } else { PLAIN };
        let painted = painted(term, colour, style.colour);
        text += &(if fits(term) { filled.replacen(term, &painted, 1) } else { filled } + "\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_as_wide_as_its_heading() {
        let column = |section: &str, title: &str, cell: &str| TextColumn {
            section: section.into(),
            title: title.into(),
            cells: vec![TableCell::Whole(vec![Piece::new(cell, PLAIN)])],
        };
        let columns = [column("full load, requests/s", "throughput", "52,607"), column("at one rate, µs", "p50", "61")];
        let labels = [Piece::new("native", PLAIN)];
        let beside = table(&labels, &columns, 6 + 2 + 21 + 2 + 15, false);
        assert!(beside.lines().all(|line| textwrap::core::display_width(line) <= 46), "{beside}");
        assert_eq!(beside.lines().count(), 3, "{beside}");
        let narrow = table(&labels, &columns, 45, false);
        assert_eq!(narrow.lines().count(), 7, "the second section is below: {narrow}");
    }
}
