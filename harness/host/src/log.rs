//! The log, on standard error: what the host has to say, and what components write. Standard output is the protocol's.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

/// How much of an unfinished line is kept before it is written as it is, in bytes.
pub const LINE: usize = 8 * 1024;

/// Writes a line about a service, or about the host itself when `about` is empty.
///
/// There is nobody to tell when standard error is gone, so that is ignored.
pub fn line(about: &str, message: &str) {
    let message = printable(message);
    let line = if about.is_empty() { format!("{message}\n") } else { format!("[{about}] {message}\n") };
    // In one piece, so that lines of several threads do not mix.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Shows control characters, and those that turn the direction of writing, as escapes: what a component is called, says and
/// fails of must not steer the terminal of whoever reads the log. Line ends stay: an error has several lines.
fn printable(text: &str) -> Cow<'_, str> {
    let steers = |letter: char| {
        letter.is_control() && !matches!(letter, '\t' | '\n')
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let show = |letter: char| if steers(letter) { letter.escape_default().to_string() } else { letter.to_string() };
    Cow::Owned(text.chars().map(show).collect())
}

/// What a component writes to a standard stream of its own, line by line into the host's log. What it has of an unfinished
/// line is written when it is dropped.
#[derive(Debug)]
pub struct GuestLines {
    service: Arc<str>,
    line: Vec<u8>,
}

impl GuestLines {
    /// A stream of an instance of a service.
    pub fn new(service: Arc<str>) -> Self {
        Self { service, line: Vec::new() }
    }

    /// Takes what the component wrote.
    pub fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.line.len() > LINE {
                self.flush_line();
            }
        }
    }

    fn flush_line(&mut self) {
        line(&self.service, String::from_utf8_lossy(&self.line).trim_end_matches('\n'));
        self.line.clear();
    }
}

impl Drop for GuestLines {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.flush_line();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_as_escapes() {
        assert_eq!(printable("plain\ttext, ü\nmore"), "plain\ttext, ü\nmore");
        assert_eq!(printable("\u{202e}gnp"), "\\u{202e}gnp");
        assert_eq!(printable("\u{1b}[2Jgone\u{7}\r"), "\\u{1b}[2Jgone\\u{7}\\r");
    }
}
