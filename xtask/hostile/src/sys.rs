//! What the standard library has no safe way to: signals, sessions, descriptors. The C library is linked with it anyway.
#![expect(unsafe_code, reason = "these functions are the C library's")]

use std::fs::OpenOptions;
use std::os::fd::IntoRawFd;
use std::sync::atomic::{AtomicI32, Ordering};

const SIGTERM: i32 = 15;
const SIGSTOP: i32 = 19;
const STDOUT: i32 = 1;

unsafe extern "C" {
    safe fn setsid() -> i32;
    safe fn raise(signal: i32) -> i32;
    safe fn close(descriptor: i32) -> i32;
    safe fn signal(signal: i32, handler: extern "C" fn(i32)) -> usize;
    fn write(descriptor: i32, bytes: *const u8, count: usize) -> isize;
}

/// Ends at once.
#[expect(clippy::exit, reason = "it is to end in the middle of what it does")]
pub fn end(code: i32) -> ! {
    std::process::exit(code)
}

/// Becomes the first process of a session of its own.
pub fn leave_session() {
    setsid();
}

/// Stops as by Ctrl-Z: it is there, and does nothing.
pub fn stop_itself() {
    raise(SIGSTOP);
}

/// Closes its standard output.
pub fn close_stdout() {
    close(STDOUT);
}

/// From now on SIGTERM does not end it, and is marked in this file.
pub fn ignore_term(marks: Option<&str>) {
    let file = marks.and_then(|marks| OpenOptions::new().create(true).append(true).open(marks).ok());
    MARKS.store(file.map_or(-1, IntoRawFd::into_raw_fd), Ordering::Relaxed);
    signal(SIGTERM, marked);
}

/// Where SIGTERM is marked.
static MARKS: AtomicI32 = AtomicI32::new(-1);

extern "C" fn marked(_: i32) {
    let line = b"term\n";
    // SAFETY: the bytes are there for the length that is said; `write` may be called in a handler (`signal-safety(7)`), and a
    // descriptor that is none is refused by it.
    unsafe { write(MARKS.load(Ordering::Relaxed), line.as_ptr(), line.len()) };
}
