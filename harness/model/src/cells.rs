//! Text in cells of csv files: a program for spreadsheets takes none of it for a formula.

use std::borrow::Cow;
use std::io::Write;

use serde::Serialize;

/// What a formula begins with.
const SIGNS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// What makes text of a cell that would be a formula.
const QUOTE: char = '\'';

/// Writes rows, all of whose cells are text or numbers to whoever opens the file.
pub(crate) struct RowWriter<W: Write> {
    csv: csv::Writer<W>,
    has_heading: bool,
}

impl<W: Write> RowWriter<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self { csv: csv::Writer::from_writer(writer), has_heading: false }
    }

    pub(crate) fn get_ref(&self) -> &W {
        self.csv.get_ref()
    }

    /// Writes a row; before the first its heading.
    pub(crate) fn write(&mut self, row: &impl Serialize) -> Result<(), csv::Error> {
        let mut alone = csv::WriterBuilder::new().has_headers(!self.has_heading).from_writer(Vec::new());
        alone.serialize(row)?;
        let alone = alone.into_inner().map_err(csv::IntoInnerError::into_error)?;
        for cells in csv::ReaderBuilder::new().has_headers(false).from_reader(&alone[..]).records() {
            self.csv.write_record(cells?.iter().map(|cell| quoted(cell).into_owned()))?;
        }
        self.has_heading = true;
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> Result<(), csv::Error> {
        Ok(self.csv.flush()?)
    }
}

/// A cell as it is written.
fn quoted(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { format!("{QUOTE}{cell}").into() } else { cell.into() }
}

/// A cell as it was before it was written.
pub(crate) fn unquoted(cell: &str) -> &str {
    cell.strip_prefix(QUOTE).filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Whether a program for spreadsheets would work it out. A number that has a sign is a number.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(SIGNS) && cell.parse::<f64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_come_back_and_numbers_stay() {
        for formula in ["=HYPERLINK(\"x\")", "+cmd", "-2+3", "@SUM(1)", "\t=1", "-"] {
            assert_eq!(quoted(formula), format!("'{formula}"));
            assert_eq!(unquoted(&quoted(formula)), formula);
        }
        for plain in ["", "open_p99", "-5.5", "+1e9", "'tis", "a=b", "docker/scratch"] {
            assert_eq!((quoted(plain).as_ref(), unquoted(plain)), (plain, plain));
        }
    }
}
