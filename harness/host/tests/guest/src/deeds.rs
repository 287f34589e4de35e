//! What the component does.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
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

/// How long the body of the request is.
pub(crate) fn length(request: &IncomingRequest) -> Result<usize, String> {
    let body = request.consume().map_err(|()| "consumed before")?;
    all(&body).map(|bytes| bytes.len())
}

/// Reads a body to its end.
pub(crate) fn all(body: &IncomingBody) -> Result<Vec<u8>, String> {
    let stream = body.stream().map_err(|()| "streamed before")?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
    }
}

/// Writes to both standard streams.
pub(crate) fn log() -> String {
    let said = writeln!(io::stdout(), "to standard output").and_then(|()| writeln!(io::stderr(), "to standard error"));
    said.map_or_else(|error| error.to_string(), |()| "logged".to_owned())
}

/// Writes so many lines of a hundred bytes.
pub(crate) fn flood(lines: u64) -> String {
    let line = "x".repeat(99);
    let said = (0..lines).try_for_each(|_| writeln!(io::stdout(), "{line}"));
    said.map_or_else(|error| error.to_string(), |()| "flooded".to_owned())
}

/// Has so many handles open at once.
pub(crate) fn handles(count: u64) -> String {
    let all: Vec<_> = (0..count).map(|_| monotonic_clock::subscribe_duration(0)).collect();
    all.len().to_string()
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

/// What it sees of a request.
pub(crate) fn describe(request: &IncomingRequest) -> String {
    let mut headers: Vec<String> = (request.headers().entries().into_iter())
        .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(&value)))
        .collect();
    headers.sort_unstable();
    format!(
        "{:?} {:?} {:?} {:?} {}",
        request.method(),
        request.scheme(),
        request.authority().is_some(),
        request.path_with_query(),
        headers.join(",")
    )
}

/// Whether the clocks go, and the timers keep their word.
pub(crate) fn clocks() -> String {
    let (begin, wall) = (monotonic_clock::now(), wall_clock::now());
    monotonic_clock::subscribe_duration(20_000_000).block();
    let took = monotonic_clock::now() - begin;
    let at = monotonic_clock::subscribe_instant(monotonic_clock::now() + 5_000_000);
    let soon = at.ready();
    let both = wasip2::io::poll::poll(&[&at, &monotonic_clock::subscribe_duration(10_000_000_000)]);
    let year = 1970 + wall.seconds / 31_556_952;
    format!("{} {soon} {both:?} {}", (20_000_000..2_000_000_000).contains(&took), (2025..2200).contains(&year))
}

/// Whether random values are.
pub(crate) fn random() -> String {
    use wasip2::random::{insecure, insecure_seed, random};
    let bytes = random::get_random_bytes(32);
    let differ = bytes != random::get_random_bytes(32) && random::get_random_u64() != random::get_random_u64();
    let insecure = insecure::get_insecure_random_u64() != insecure::get_insecure_random_u64();
    let zero = bytes.iter().all(|byte| *byte == 0);
    format!("{} {differ} {insecure} {zero} {}", bytes.len(), insecure_seed::insecure_seed() != (0, 0))
}

/// Ends without an answer.
#[expect(clippy::exit, reason = "that is what is tested")]
pub(crate) fn exit() -> String {
    std::process::exit(3)
}

/// What may be done with fields.
pub(crate) fn fields() -> String {
    let fields = Fields::new();
    let set = |name: &str, value: &[u8]| fields.append(name, value).map_err(|error| format!("{error:?}"));
    let tried = [
        set("a", b"1"),
        set("A", b"2"),
        set("bad name", b"1"),
        set("a", b"bad\nvalue"),
        set("host", b"elsewhere"),
        set("content-length", b"+1"),
    ];
    let replaced = fields.set("a", &[b"3".to_vec(), b"4".to_vec()]).is_ok();
    let copy = fields.clone();
    let deleted = fields.delete("a").is_ok() && !fields.has("a");
    let response = OutgoingResponse::new(copy);
    let frozen = response.headers().delete("a").map_err(|error| format!("{error:?}"));
    format!("{tried:?} {replaced} {deleted} {:?} {frozen:?}", response.headers().get("a").len())
}

/// Answers with so many headers.
pub(crate) fn headers(answer: ResponseOutparam, count: u64) {
    let fields = Fields::new();
    for number in 0..count {
        fields.append(&format!("x-{number}"), number.to_string().as_bytes()).expect("it is a header");
    }
    let response = OutgoingResponse::new(fields);
    response.set_status_code(203).expect("it is a status");
    let body = response.body().expect("nobody took it before");
    ResponseOutparam::set(answer, Ok(response));
    OutgoingBody::finish(body, None).expect("the body has any length");
}

/// Answers with the body of the request, as it comes.
pub(crate) fn mirror(request: &IncomingRequest, answer: ResponseOutparam) {
    let incoming = request.consume().expect("nobody took it before");
    let input = incoming.stream().expect("nobody took it before");
    let body = super::begin(answer);
    let mut output = body.write().expect("nobody took it before");
    loop {
        match input.blocking_read(16 * 1024) {
            Ok(chunk) => output.write_all(&chunk).expect("the client is there"),
            Err(StreamError::Closed) => break,
            Err(error) => panic!("{error:?}"),
        }
    }
    drop((input, output));
    let trailers = IncomingBody::finish(incoming);
    trailers.subscribe().block();
    drop(trailers);
    OutgoingBody::finish(body, None).expect("the body has any length");
}

/// Answers before it reads the request, and does not answer less when it has read it.
pub(crate) fn early(request: &IncomingRequest, answer: ResponseOutparam) {
    let body = super::begin(answer);
    let mut output = body.write().expect("nobody took it before");
    writeln!(output, "begun").expect("the client is there");
    let read = length(request);
    // In one piece.
    output.write_all(format!("{read:?}\n").as_bytes()).expect("the client is there");
    drop(output);
    OutgoingBody::finish(body, None).expect("the body has any length");
}

/// Promises a body of one length and writes one of another; its answer tells what came of that.
pub(crate) fn promise(answer: ResponseOutparam, promised: u64, written: u64) {
    let fields = Fields::from_list(&[("content-length".to_owned(), promised.to_string().into_bytes())]);
    let response = OutgoingResponse::new(fields.expect("it is a header"));
    let body = response.body().expect("nobody took it before");
    let mut output = body.write().expect("nobody took it before");
    let wrote = output.write_all(&vec![b'x'; usize::try_from(written).expect("it is small")]);
    drop(output);
    match (wrote, OutgoingBody::finish(body, None)) {
        (Ok(()), Ok(())) => ResponseOutparam::set(answer, Ok(response)),
        (wrote, finished) => super::respond(answer, &format!("{} {finished:?}", wrote.is_ok())),
    }
}

/// Answers that it cannot.
pub(crate) fn refuse(answer: ResponseOutparam) {
    ResponseOutparam::set(answer, Err(ErrorCode::InternalError(Some("as asked".to_owned()))));
}

/// Goes on after its answer is whole, and writes into the log.
pub(crate) fn late(answer: ResponseOutparam, milliseconds: u64) {
    super::respond(answer, "answered");
    sleep(milliseconds);
    log();
}
