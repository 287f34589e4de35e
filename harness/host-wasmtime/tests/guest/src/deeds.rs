//! What the component does.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingRequest, ResponseOutparam, Scheme};
use wasip2::io::streams::StreamError;

/// How many requests this instance has counted, this one included.
pub(crate) fn count() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed) + 1
}

/// The whole environment, sorted, as `NAME=VALUE` separated by commas.
pub(crate) fn environment() -> String {
    let mut variables: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
    variables.sort_unstable();
    variables.join(",")
}

/// What it sees of the file system: nothing.
pub(crate) fn files() -> String {
    let root = std::fs::read_dir("/").map_or(0, Iterator::count);
    let here = std::fs::read_dir(".").map_or(0, Iterator::count);
    let read = std::fs::read("/etc/hostname").is_ok() || std::fs::read("/proc/self/cmdline").is_ok();
    let written = std::fs::write("/tmp/tare-host-guest", "x").is_ok();
    format!("{root} {here} {read} {written}")
}

/// How a request to elsewhere ends.
pub(crate) fn outgoing() -> String {
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).expect("http is a scheme");
    request.set_authority(Some("127.0.0.1:9")).expect("this is an authority");
    request.set_path_with_query(Some("/")).expect("this is a path");
    let future = match outgoing_handler::handle(request, None) {
        Ok(future) => future,
        Err(code) => return format!("{code:?}"),
    };
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(_))) => "answered".to_owned(),
        Some(Ok(Err(code))) => format!("{code:?}"),
        other => format!("{other:?}"),
    }
}

/// How long the body of the request is.
pub(crate) fn length(request: &IncomingRequest) -> Result<usize, String> {
    let body = request.consume().map_err(|()| "consumed before")?;
    let stream = body.stream().map_err(|()| "streamed before")?;
    let mut length = 0;
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => length += chunk.len(),
            Err(StreamError::Closed) => return Ok(length),
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
    }
}

/// Writes to both standard streams.
pub(crate) fn log() -> String {
    let said = writeln!(io::stdout(), "to standard output").and_then(|()| writeln!(io::stderr(), "to standard error"));
    said.map_or_else(|error| error.to_string(), |()| "logged".to_owned())
}

/// Never returns.
pub(crate) fn spin() -> ! {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

/// Waits without computing.
pub(crate) fn sleep(milliseconds: u64) -> String {
    std::thread::sleep(Duration::from_millis(milliseconds));
    "slept".to_owned()
}

/// Takes memory and writes to all of it.
pub(crate) fn allocate(bytes: u64) -> String {
    let memory = vec![1_u8; usize::try_from(bytes).expect("memory is 32 bits wide")];
    std::hint::black_box(&memory).len().to_string()
}

/// Answers in pieces with time between them, and perhaps traps before the end.
pub(crate) fn stream(answer: ResponseOutparam, pieces: u64, trap: bool) {
    let body = super::begin(answer);
    let mut stream = body.write().expect("nobody took it before");
    for piece in 0..pieces {
        writeln!(stream, "{piece}").expect("the client is there");
        sleep(20);
    }
    assert!(!trap, "as asked");
    drop(stream);
    OutgoingBody::finish(body, None).expect("the body has any length");
}
