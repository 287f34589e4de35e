//! All that is printed: results on standard output, everything else on standard error.

use std::io::{IsTerminal, Write};

use anyhow::Result;
use serde::Serialize;
use tare_report::{Style, printable};

/// Columns where the terminal does not tell its own.
const WIDTH: usize = 100;

/// Says something to the user that is no result. Parts of it may come from a file or a service: they steer no terminal.
pub fn say(text: &str) {
    // Nobody is there to be told when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{}", printable(text));
}

/// Prints a result.
///
/// # Errors
/// When standard output takes no more, except that its reader has gone (`| head`), which ends the output quietly.
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// Prints a result as JSON.
///
/// # Errors
/// As of [`print`].
pub fn print_json(value: &impl Serialize) -> Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// How standard output likes its text: colour on a terminal that has not refused it (<https://no-color.org>).
pub fn style() -> Style {
    let terminal = std::io::stdout().is_terminal();
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let width =
        terminal_size::terminal_size_of(std::io::stdout()).map_or(WIDTH, |(width, _)| usize::from(width.0).min(WIDTH));
    Style { colour: terminal && !refused, width }
}

/// A text after a first part of its first line, broken into lines of the usual width and indented like the first.
pub fn wrapped(first: &str, text: &str) -> String {
    let further = " ".repeat(first.chars().count());
    let options = textwrap::Options::new(WIDTH).initial_indent(first).subsequent_indent(&further);
    textwrap::fill(&printable(text), options) + "\n"
}
