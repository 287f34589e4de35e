//! Text with a colour of its own, and lines of it. Colour is never the only sign of anything.

use anstyle::{AnsiColor, Style};

use crate::escape;

pub(crate) const PLAIN: Style = Style::new();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const MARK: Style = AnsiColor::Yellow.on_default();

/// A piece of a line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Piece {
    pub text: String,
    pub style: Style,
}

impl Piece {
    /// A piece of one line; what a terminal would obey in it is shown as an escape.
    pub(crate) fn new(text: impl AsRef<str>, style: Style) -> Self {
        Self { text: escape::line(text.as_ref()), style }
    }

    pub(crate) fn width(&self) -> usize {
        textwrap::core::display_width(&self.text)
    }
}

/// Puts a line together from pieces in columns, without spaces at its end.
pub(crate) struct Line {
    text: String,
    /// Spaces that are written when something follows them.
    owed: usize,
    colour: bool,
}

impl Line {
    pub(crate) fn new(colour: bool) -> Self {
        Self { text: String::new(), owed: 0, colour }
    }

    pub(crate) fn space(&mut self, columns: usize) {
        self.owed += columns;
    }

    /// Writes a piece at the left of a field of this width.
    pub(crate) fn left(&mut self, piece: &Piece, width: usize) {
        if !piece.text.is_empty() {
            self.text.extend(std::iter::repeat_n(' ', std::mem::take(&mut self.owed)));
            self.text.push_str(&painted(&piece.text, piece.style, self.colour));
        }
        self.owed += width.saturating_sub(piece.width());
    }

    /// Writes a piece at the right of a field of this width.
    pub(crate) fn right(&mut self, piece: &Piece, width: usize) {
        self.owed += width.saturating_sub(piece.width());
        self.left(piece, 0);
    }

    pub(crate) fn finish(self) -> String {
        self.text + "\n"
    }
}

/// The text in its style, where colour is wanted.
pub(crate) fn painted(text: &str, style: Style, colour: bool) -> String {
    if colour && style != PLAIN { format!("{style}{text}{style:#}") } else { text.into() }
}
