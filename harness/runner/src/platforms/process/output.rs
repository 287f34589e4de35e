//! What a measured process writes: events on its standard output, and a log on its standard error. Both are read to their end
//! and kept within bounds: a program whose output nobody takes would stop, and one that writes for ever must not fill the
//! memory or the disk of who measures it.

use std::io::{BufRead, BufReader, ErrorKind, PipeReader, Read};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;
use tare_protocol::Event;

use crate::sys::bounded::{BoundedFile, tail};

/// The longest line on standard output that may be an event, in bytes.
const LONGEST_LINE: u64 = 16 * 1024;

/// The most events of a process that are kept.
const MOST_EVENTS: usize = 1000;

/// How much of the end of its log an error carries, in bytes.
const LAST_WORDS: u64 = 1000;

/// How long what a process has written right before its end may be on its way.
pub const LAG: Duration = Duration::from_millis(50);

/// Sends on the events among the lines of a program's output, on a thread of its own.
pub fn events(output: PipeReader) -> Receiver<Event> {
    let (sender, events) = channel();
    std::thread::spawn(move || listen(BufReader::new(output), &sender));
    events
}

/// Reads a program's output until it ends. Lines that are no events are the program's own business; so is what they are made
/// of.
fn listen(mut output: impl BufRead, events: &Sender<Event>) {
    let mut sent = 0;
    let mut line = Vec::new();
    // Whether what comes next goes on a line that is too long: that is no event, whatever it looks like.
    let mut is_rest = false;
    loop {
        line.clear();
        match output.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        }
        if !is_rest
            && sent < MOST_EVENTS
            && let Ok(event) = serde_json::from_slice(&line)
        {
            sent += 1;
            let _ = events.send(event);
        }
        is_rest = line.last() != Some(&b'\n');
    }
}

/// The file that a program's standard error is kept in.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    writer: JoinHandle<()>,
}

impl Log {
    /// Keeps a standard error, on a thread of its own.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn keep(errors: PipeReader, path: PathBuf) -> Result<Self> {
        let file = BoundedFile::create(&path)?;
        let writer = std::thread::spawn(move || copy(errors, file));
        Ok(Self { path, writer })
    }

    /// Waits a moment for what a program that has ended wrote last.
    pub fn settle(&self) {
        let until = Instant::now() + LAG;
        while !self.writer.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The end of what was written, for an error message.
    pub fn last_words(&self) -> String {
        let bytes = tail(&self.path, LAST_WORDS).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.trim().lines().collect();
        lines[lines.len().saturating_sub(5)..].join(" | ")
    }
}

/// Copies what there is room for, and reads the rest to its end.
fn copy(mut from: impl Read, mut to: BoundedFile) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return,
            // A log that cannot be written is a loss; a subject that stops over it would be a wrong figure.
            Ok(read) => drop(to.take(&buffer[..read])),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_line_that_is_too_long_is_no_event() {
        let event = r#"{"event":"phase","phase":"main","at_ns":7}"#;
        let long = "x".repeat(usize::try_from(LONGEST_LINE).unwrap());
        let (sender, events) = channel();
        listen(format!("{long}{event}\n{event}\n{event}").as_bytes(), &sender);
        drop(sender);
        assert_eq!(events.iter().count(), 2);
    }

    #[test]
    fn no_more_events_are_kept_than_anybody_needs() {
        let event = r#"{"event":"phase","phase":"main","at_ns":7}"#;
        let (sender, events) = channel();
        listen(format!("{event}\n").repeat(MOST_EVENTS * 3).as_bytes(), &sender);
        drop(sender);
        assert_eq!(events.iter().count(), MOST_EVENTS);
    }
}
