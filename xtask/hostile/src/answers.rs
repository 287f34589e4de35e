//! How it answers.

use std::io::{self, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use crate::sys;

/// Answers a request; returns whether the connection stays.
pub type Answer = fn(&mut Exchange<'_>) -> io::Result<bool>;

/// A request that waits for its answer.
pub struct Exchange<'a> {
    /// Its connection.
    pub stream: &'a mut TcpStream,
    /// Its number in this process, from 1.
    pub request: u64,
}

/// All ways to answer, by the name of the behaviour.
const ANSWERS: &[(&str, Answer)] = &[
    ("good", good),
    ("open-to-all", good),
    ("closes", |it| it.head("connection: close\r\n").map(|_| false)),
    ("closes-silently", |it| good(it).map(|_| false)),
    ("slow", |it| after(2000, it)),
    ("unsteady", |it| after(unsteady_ms(), it)),
    ("silent", silent),
    ("silent-later", |it| from(VERIFIED, it, silent)),
    ("silent-under-load", |it| from(LOADED, it, silent)),
    ("drip", drip),
    ("endless-body", endless),
    ("endless-later", |it| from(VERIFIED, it, endless)),
    ("endless-under-load", |it| from(LOADED, it, endless)),
    ("endless-continue", |it| from(VERIFIED, it, |it| it.for_ever(b"HTTP/1.1 100 Continue\r\n\r\n"))),
    ("dies-in-verification", |it| from(VERIFIED, it, |_| sys::end(7))),
    ("dies-under-load", |it| from(LOADED, it, |_| sys::end(7))),
    ("stops-under-load", |it| from(LOADED, it, stops)),
    ("wrong-later", |it| from(VERIFIED, it, wrong)),
    ("wrong-under-load", |it| from(LOADED, it, wrong)),
    ("control", control),
    ("error-5mb", |it| it.status("500 Broken", &"x".repeat(5_000_000))),
    ("length-too-long", |it| it.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nok").map(|_| false)),
    ("length-too-short", |it| it.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokokokok")),
    ("length-of-ages", |it| it.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\nok")),
    ("bad-chunks", |it| it.raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok\r\n-1\r\n\r\n")),
    ("huge-header", |it| it.head(&format!("x: {}\r\n", "x".repeat(2_000_000)))),
    ("many-headers", |it| it.head(&"x: y\r\n".repeat(5_000))),
    ("garbage", |it| it.raw(&[0xff; 300]).map(|_| false)),
    ("hangs-up", |_| Ok(false)),
];

/// The first request is the one that ends a start; from this one on they come from the verification.
const VERIFIED: u64 = 2;

/// From this one on they come from a load.
const LOADED: u64 = 100;

/// What steers a terminal: its title, a bell, a colour, the direction of the text.
const CONTROL: &str = "\u{1b}]0;owned\u{7}\u{1b}[31mred\u{202e}left";

/// The way of a behaviour.
pub fn of(behaviour: &str) -> Option<Answer> {
    ANSWERS.iter().find(|(name, _)| *name == behaviour).map(|(_, answer)| *answer)
}

/// As it should be.
pub fn good(it: &mut Exchange<'_>) -> io::Result<bool> {
    it.head("")
}

/// As it should be before this request, and then in another way.
fn from(first: u64, it: &mut Exchange<'_>, answer: Answer) -> io::Result<bool> {
    if it.request < first { good(it) } else { answer(it) }
}

fn after(ms: u64, it: &mut Exchange<'_>) -> io::Result<bool> {
    sleep(Duration::from_millis(ms));
    good(it)
}

impl Exchange<'_> {
    fn raw(&mut self, bytes: &[u8]) -> io::Result<bool> {
        self.stream.write_all(bytes).map(|()| true)
    }

    /// A right answer with more in its head.
    fn head(&mut self, more: &str) -> io::Result<bool> {
        self.raw(format!("HTTP/1.1 200 OK\r\n{more}content-length: 2\r\n\r\nok").as_bytes())
    }

    fn status(&mut self, status: &str, body: &str) -> io::Result<bool> {
        self.raw(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes())
    }

    fn for_ever(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let many = bytes.repeat(4096);
        loop {
            self.stream.write_all(&many)?;
        }
    }
}

fn endless(it: &mut Exchange<'_>) -> io::Result<bool> {
    it.raw(b"HTTP/1.1 200 OK\r\n\r\n")?;
    it.for_ever(b"0123456789abcdef")
}

fn drip(it: &mut Exchange<'_>) -> io::Result<bool> {
    for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" {
        it.raw(&[*byte])?;
        sleep(Duration::from_secs(1));
    }
    Ok(true)
}

/// Another time in each window of a warm-up, so that no two of them agree.
fn unsteady_ms() -> u64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_millis());
    if (now / 50).is_multiple_of(2) { 0 } else { 5 }
}

fn silent(_: &mut Exchange<'_>) -> io::Result<bool> {
    loop {
        std::thread::park();
    }
}

fn stops(it: &mut Exchange<'_>) -> io::Result<bool> {
    sys::stop_itself();
    good(it)
}

fn wrong(it: &mut Exchange<'_>) -> io::Result<bool> {
    it.status("404 Gone", CONTROL)
}

fn control(it: &mut Exchange<'_>) -> io::Result<bool> {
    it.status("404 \u{1b}[31mGone", CONTROL)
}
