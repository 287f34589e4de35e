//! All that is printed: results on standard output, everything else on standard error.

use std::io::{IsTerminal, Write};

use anyhow::Result;
use serde::Serialize;
use tare_report::{Style, printable};

/// Columns where the terminal does not tell its own.
const WIDTH: usize = 100;

/// What a warning begins with.
const WARNING: &str = "warning: ";

/// Says something to the user that is no result. Parts of it may come from a file or a service: they steer no terminal. A
/// warning is broken into lines of the usual width.
pub fn say(text: &str) {
    let is_wide = text.lines().any(|line| line.chars().count() > WIDTH);
    let text = match text.strip_prefix(WARNING).filter(|_| is_wide) {
        Some(says) => wrapped(WARNING, says).trim_end().to_owned(),
        None => printable(text),
    };
    // Nobody is there to be told when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
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
    print(&format!("{}\n", unobeyed(&serde_json::to_string_pretty(value)?)))
}

/// JSON that says the same and steers no terminal: what one would obey, which JSON allows in its texts, becomes an escape of JSON.
fn unobeyed(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter == '\n' || printable(letter.encode_utf8(&mut [0; 4])).len() == letter.len_utf8() {
            safe.push(letter);
        } else {
            safe.extend(letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    safe
}

/// How standard output likes its text: colour on a terminal that has not refused it (<https://no-color.org>).
pub fn style() -> Style {
    let terminal = std::io::stdout().is_terminal();
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let width =
        terminal_size::terminal_size_of(std::io::stdout()).map_or(WIDTH, |(width, _)| usize::from(width.0).min(WIDTH));
    Style { colour: terminal && !refused, width }
}

/// A text after a first part of its first line, broken into lines of the usual width and indented like the first. A first part
/// that leaves too little room (it may have names in it) has lines of its own.
pub fn wrapped(first: &str, text: &str) -> String {
    let (width, text) = (first.chars().count(), printable(text));
    if width <= WIDTH * 2 / 3 {
        let further = " ".repeat(width);
        let options = textwrap::Options::new(WIDTH).initial_indent(first).subsequent_indent(&further);
        return textwrap::fill(&text, options) + "\n";
    }
    let options = textwrap::Options::new(WIDTH).initial_indent("    ").subsequent_indent("    ");
    format!("{}\n{}\n", textwrap::fill(printable(first).trim_end(), WIDTH), textwrap::fill(&text, options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_steers_no_terminal_and_says_the_same() {
        let text = "a\u{9b}1m\u{202e}\u{2066}b\u{1b}[2J\u{7f}µ 日本 \u{1f600}";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let safe = unobeyed(&json);
        assert_eq!(printable(&safe), safe);
        assert!(safe.contains("µ 日本 \u{1f600}"), "{safe}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&safe).unwrap(), [text]);
    }

    #[test]
    fn no_line_is_wider_than_promised_whatever_stands_first() {
        for length in [0, 10, 60, 70, 99, 130, 300] {
            let first = format!("warning  {}  ", "n".repeat(length));
            let text = wrapped(&first, &format!("{} and {}", "so it is ".repeat(30), "w".repeat(300)));
            assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
            assert_eq!(text.matches('n').count(), first.matches('n').count() + 1, "nothing is lost: {text}");
        }
    }
}
