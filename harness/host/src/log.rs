//! The log, on standard error: what the host has to say, and what components write. Standard output is the protocol's.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much of an unfinished line is kept before it is written as it is, in bytes.
pub const LINE: usize = 8 * 1024;

/// How much of a message about a service is written, in bytes. What is no text in a component's line takes three times as many.
const MESSAGE: usize = 4 * LINE;

/// Writes a line about a service, or about the host itself when `about` is empty.
///
/// There is nobody to tell when standard error is gone, so that is ignored.
pub fn line(about: &str, message: &str) {
    write(&rendered(about, message));
}

fn rendered(about: &str, message: &str) -> String {
    let message = printable(message);
    if about.is_empty() { format!("{message}\n") } else { format!("[{about}] {message}\n") }
}

fn write(line: &str) {
    // In one piece, so that lines of several threads do not mix.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// The log of one service: what its component prints, and how it fails. A component may print without end, so there is an
/// end to what is written of it.
#[derive(Debug)]
pub struct ServiceLog {
    service: Box<str>,
    limit: u64,
    /// How much was to be written, in bytes.
    asked: AtomicU64,
}

impl ServiceLog {
    /// An empty log that takes so many bytes.
    pub fn new(service: &str, limit: u64) -> Arc<Self> {
        Arc::new(Self { service: service.into(), limit, asked: AtomicU64::new(0) })
    }

    /// Writes a line, cut where it is too long for one. Once the log is full, nothing more is written, which is told then.
    pub fn line(&self, message: &str) {
        if self.is_full() {
            return;
        }
        let line = rendered(&self.service, cut(message));
        let length = line.len() as u64;
        let before = self.asked.fetch_add(length, Ordering::Relaxed);
        if before.saturating_add(length) <= self.limit {
            write(&line);
        } else if before <= self.limit {
            let limit = self.limit;
            self::line(&self.service, &format!("nothing more is logged of it, after {limit} bytes (--log-limit)"));
        }
    }

    fn is_full(&self) -> bool {
        self.asked.load(Ordering::Relaxed) > self.limit
    }
}

/// As much of a message as is written: parts of it may be a component's own words.
fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(MESSAGE)]
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

/// What a component writes to a standard stream of its own, line by line into the log of its service. What it has of an
/// unfinished line is written when it is dropped.
#[derive(Debug)]
pub struct GuestLines {
    log: Arc<ServiceLog>,
    line: Vec<u8>,
}

impl GuestLines {
    /// A stream of an instance of a service.
    pub fn new(log: Arc<ServiceLog>) -> Self {
        Self { log, line: Vec::new() }
    }

    /// Takes what the component wrote.
    pub fn take(&mut self, bytes: &[u8]) {
        if self.log.is_full() {
            return;
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n').flat_map(|line| line.chunks(LINE)) {
            if self.line.len() + piece.len() > LINE {
                self.flush_line();
            }
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.flush_line();
            }
        }
    }

    fn flush_line(&mut self) {
        self.log.line(String::from_utf8_lossy(&self.line).trim_end_matches('\n'));
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

    #[test]
    fn a_message_has_an_end_and_no_letter_is_cut() {
        let long = "\u{e4}".repeat(MESSAGE);
        assert_eq!(cut(&long).len(), MESSAGE);
        assert_eq!(cut(&long[..LINE]).len(), LINE);
        assert_eq!(cut(&format!("x{long}")).len(), MESSAGE - 1);
    }
}
