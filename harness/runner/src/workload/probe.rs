//! Asking a starting service until it gives its first right answer.
//!
//! A connection that is accepted proves nothing: a port proxy accepts long before the program behind it exists. Only a
//! whole, right answer counts.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::scenario::{Expect, Scenario, difference};
use crate::sys::clock::monotonic_ns;

/// How long a read waits before it is asked whether waiting still makes sense.
const SLICE: Duration = Duration::from_millis(50);

/// The same of a connection, which the kernel tries again by itself only after a second.
const CONNECT_SLICE: Duration = Duration::from_millis(250);

/// How long an answer to one of several attempts may take at first; then twice as long, and so on.
const FIRST_LIMIT: Duration = Duration::from_secs(1);

/// The most bytes of an answer that are read: as many as under load.
const MOST_BYTES: usize = tare_load::framing::MAX_ANSWER;

/// How much of a wrong answer an error shows, in characters.
const SHOWN: usize = 300;

/// Says why waiting makes no sense any more; `None` while it does.
pub type GivenUp<'a> = dyn FnMut() -> Option<String> + 'a;

/// The request whose right answer ends a start-up.
#[derive(Debug, Clone)]
pub struct Probe {
    request: String,
    expect: Expect,
}

/// Why an attempt gave no right answer.
enum Miss {
    /// Nothing listens yet, what accepted has nobody behind it, or the service says that it is not ready: worth another
    /// attempt.
    NotYet(anyhow::Error),
    /// A whole answer, and a wrong one; or none in time.
    Wrong(anyhow::Error),
}

impl Probe {
    /// The probe of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let step = scenario.probe();
        let has_host = step.headers.keys().any(|name| name.eq_ignore_ascii_case("host"));
        let host = if has_host { "" } else { "host: 127.0.0.1\r\n" };
        let kept = step.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("connection"));
        let headers: Vec<String> = kept.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let headers = headers.concat();
        // `connection: close` makes the end of the answer visible without parsing it inside the clock.
        let head = format!("GET {} HTTP/1.1\r\n{host}{headers}connection: close\r\n\r\n", step.path);
        Self { request: head, expect: step.expect.clone() }
    }

    /// Asks once, where the service is known to listen; returns the time at which the answer ended.
    ///
    /// # Errors
    /// A wrong answer, none before the deadline, or giving up.
    pub fn ask(&self, addr: SocketAddr, deadline: Instant, given_up: &mut GivenUp<'_>) -> Result<u64> {
        self.attempt(addr, deadline, given_up).map_err(|miss| match miss {
            Miss::NotYet(error) | Miss::Wrong(error) => error,
        })
    }

    /// Asks until there is a right answer; returns the time at which it ended. Between attempts it sleeps for `pause`,
    /// so that who starts the service gets the CPU that it may need for that. A status of 500 and more is taken for a
    /// service that is not ready yet.
    ///
    /// # Errors
    /// Any other wrong answer at once; no right one before the deadline; giving up.
    pub fn ask_until(
        &self,
        addr: SocketAddr,
        pause: Duration,
        deadline: Instant,
        given_up: &mut GivenUp<'_>,
    ) -> Result<u64> {
        let mut limit = FIRST_LIMIT;
        loop {
            let until = deadline.min(Instant::now() + limit);
            match self.attempt(addr, until, given_up) {
                Ok(answered) => return Ok(answered),
                // An answer that took too long is asked for again, with more time.
                Err(Miss::Wrong(_)) if Instant::now() > until && until < deadline => limit *= 2,
                Err(Miss::Wrong(error)) => return Err(error),
                Err(Miss::NotYet(error)) => {
                    if let Some(why) = given_up() {
                        bail!("{why}");
                    }
                    if Instant::now() > deadline {
                        return Err(error.context(format!(
                            "no right answer from {addr} within the time that a start may take (`start_s` under `limits` in a \
                             service.toml)"
                        )));
                    }
                    std::thread::sleep(pause);
                }
            }
        }
    }

    fn attempt(&self, addr: SocketAddr, deadline: Instant, given_up: &mut GivenUp<'_>) -> Result<u64, Miss> {
        let cannot = |error: std::io::Error| Miss::NotYet(anyhow!(error).context(format!("cannot ask {addr}")));
        let mut stream = connect(addr, deadline, given_up)?.map_err(cannot)?;
        let sent = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(SLICE)));
        sent.and_then(|()| stream.write_all(self.request.as_bytes())).map_err(cannot)?;
        let mut answer = Vec::with_capacity(1024);
        let mut buffer = [0; 16 * 1024];
        let answered = loop {
            match stream.read(&mut buffer) {
                Ok(0) => break monotonic_ns(),
                Ok(bytes) => answer.extend_from_slice(&buffer[..bytes]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if let Some(why) = given_up() {
                        return Err(Miss::Wrong(anyhow!(why)));
                    }
                }
                Err(error) => return Err(cannot(error)),
            }
            if answer.len() > MOST_BYTES {
                let what = format!("{addr} answers with more than {MOST_BYTES} bytes, as `{}`", shown(&answer));
                return Err(Miss::Wrong(anyhow!(what)));
            }
            if Instant::now() > deadline {
                return Err(Miss::Wrong(anyhow!("connected to {addr}, and no whole answer in time")));
            }
        };
        if answer.is_empty() {
            return Err(Miss::NotYet(anyhow!("{addr} closed the connection without an answer")));
        }
        match self.check(&answer) {
            Ok(()) => Ok(answered),
            Err((status, error)) if status >= 500 => Err(Miss::NotYet(error)),
            Err((_, error)) => Err(Miss::Wrong(error)),
        }
    }

    /// The status of a wrong answer, 0 where there is none, and what is wrong with it.
    fn check(&self, answer: &[u8]) -> Result<(), (u16, anyhow::Error)> {
        let text = String::from_utf8_lossy(answer);
        let shown = shown(answer);
        let head = text.split_once("\r\n\r\n").with_context(|| format!("not an HTTP answer: `{shown}`"));
        let (head, body) = head.map_err(|error| (0, error))?;
        let is_chunked = head.lines().any(|line| {
            let (name, value) = line.split_once(':').unwrap_or_default();
            name.eq_ignore_ascii_case("transfer-encoding") && value.to_ascii_lowercase().contains("chunked")
        });
        let body = if is_chunked { unchunked(body) } else { body.to_owned() };
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        self.check_parts(status, &body, &shown).map_err(|error| (status, error))
    }

    fn check_parts(&self, status: u16, body: &str, shown: &str) -> Result<()> {
        ensure!(
            status == self.expect.status,
            "the first answer has the status {status}, and {} is right (the path is said by --get, or in a file by the step \
             with `probe`): `{shown}`",
            self.expect.status
        );
        if let Some(expected) = &self.expect.json {
            let found = serde_json::from_str(body.trim());
            let found = found.with_context(|| format!("the first answer has no JSON body: `{shown}`"))?;
            if let Some(difference) = difference(expected, &found) {
                return Err(anyhow!("the first answer is wrong: {difference}"));
            }
        }
        match self.expect.contains.iter().find(|needle| !body.contains(needle.as_str())) {
            Some(needle) => Err(anyhow!("the first answer does not contain `{needle}`: `{shown}`")),
            None => Ok(()),
        }
    }
}

/// Connects, as far as there is somebody to accept before the deadline: a queue of connections may be full.
fn connect(
    addr: SocketAddr,
    deadline: Instant,
    given_up: &mut GivenUp<'_>,
) -> Result<std::io::Result<TcpStream>, Miss> {
    loop {
        match TcpStream::connect_timeout(&addr, CONNECT_SLICE) {
            Err(error) if error.kind() == ErrorKind::TimedOut && Instant::now() < deadline => {
                if let Some(why) = given_up() {
                    return Err(Miss::Wrong(anyhow!(why)));
                }
            }
            done => return Ok(done),
        }
    }
}

/// A body without the lengths of its chunks (RFC 9112, section 7.1). One that is cut short ends where it is.
fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = length.split(';').next().unwrap_or_default().trim();
        let length = usize::from_str_radix(length, 16).unwrap_or(0);
        let Some(chunk) = rest.get(..length).filter(|_| length > 0) else { break };
        whole += chunk;
        body = rest.get(length..).unwrap_or_default().trim_start_matches("\r\n");
    }
    whole
}

/// The beginning of an answer, for an error.
fn shown(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(&answer[..answer.len().min(4 * SHOWN)]);
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < answer.len() {
        shown.push('…');
    }
    shown.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn probe() -> Probe {
        let json = Some(serde_json::json!({"status": "ok"}));
        Probe { request: "GET / HTTP/1.1\r\n\r\n".into(), expect: Expect { status: 200, json, ..Expect::default() } }
    }

    /// Answers one connection after another with these texts, then stops listening.
    fn server(answers: &'static [&'static str]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 512];
                let _ = stream.read(&mut request).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        addr
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    fn ask(addr: SocketAddr) -> Result<u64> {
        probe().ask(addr, soon(), &mut || None)
    }

    fn ask_until(addr: SocketAddr) -> Result<u64> {
        probe().ask_until(addr, Duration::from_millis(1), soon(), &mut || None)
    }

    #[test]
    fn a_right_answer_ends_it_whether_plain_or_chunked() {
        let plain = server(&["HTTP/1.1 200 OK\r\n\r\n{\"status\":\"ok\"}"]);
        assert!(ask(plain).is_ok());
        let chunks =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"status\"\r\n6\r\n:\"ok\"}\r\n0\r\n\r\n";
        ask(server(Box::leak(Box::new([chunks])))).unwrap();
    }

    #[test]
    fn an_accepted_connection_without_an_answer_is_asked_again() {
        let addr = server(&["", "", "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"ok\"}"]);
        assert!(ask_until(addr).is_ok());
    }

    #[test]
    fn wrong_answers_are_told() {
        let cases = [
            ("HTTP/1.1 500 No\r\n\r\n", "status 500"),
            ("HTTP/1.1 200 OK\r\n\r\n{\"status\":\"bad\"}", "/status is \"bad\" instead of \"ok\""),
            ("HTTP/1.1 200 OK\r\n\r\nhello", "no JSON body"),
            ("hello", "not an HTTP answer"),
        ];
        for (answer, expected) in cases {
            let answers: &'static [&'static str] = Box::leak(Box::new([answer]));
            let error = format!("{:#}", ask(server(answers)).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn nobody_there_ends_when_given_up() {
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut given_up = || Some("it ended before it answered".to_owned());
        let error = probe().ask_until(addr, Duration::from_millis(1), soon(), &mut given_up).unwrap_err();
        assert_eq!(error.to_string(), "it ended before it answered");
    }

    #[test]
    fn a_service_that_is_not_ready_is_asked_again() {
        let addr = server(&["HTTP/1.1 503 Later\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"ok\"}"]);
        assert!(ask_until(addr).is_ok());
    }

    /// A server that writes these bytes again and again, with a pause between them.
    fn endless(bytes: &'static [u8], pause: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(bytes).is_ok() {
                std::thread::sleep(pause);
            }
        });
        addr
    }

    #[test]
    fn an_answer_that_does_not_end_is_cut_by_its_size_or_by_the_deadline() {
        let error = ask(endless(&[b'a'; 4096], Duration::ZERO)).unwrap_err().to_string();
        assert!(error.contains("more than 2097152 bytes"), "{error}");
        let error = ask(endless(b"a", Duration::from_millis(1))).unwrap_err().to_string();
        assert!(error.contains("no whole answer in time"), "{error}");
    }

    #[test]
    fn waiting_for_an_answer_ends_when_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut given_up = || Some("interrupted".to_owned());
        let deadline = Instant::now() + Duration::from_mins(1);
        let error = probe().ask(listener.local_addr().unwrap(), deadline, &mut given_up).unwrap_err();
        assert_eq!(error.to_string(), "interrupted");
    }
}
