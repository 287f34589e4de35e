//! Asking a starting service until it gives its first right answer.
//!
//! A connection that is accepted proves nothing: a port proxy accepts long before the program behind it exists. Only a
//! whole, right answer counts.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use crate::clock::monotonic_ns;
use crate::scenario::{Expect, Scenario, difference};

/// The request whose right answer ends a start-up.
#[derive(Debug, Clone)]
pub struct Probe {
    request: String,
    expect: Expect,
}

/// Why an attempt gave no right answer.
enum Miss {
    /// Nothing listens yet, or what accepted has nobody behind it: worth another attempt.
    NotYet(anyhow::Error),
    /// A whole answer, and a wrong one.
    Wrong(anyhow::Error),
}

impl Probe {
    /// The probe of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let step = scenario.probe();
        // `connection: close` makes the end of the answer visible without parsing it inside the clock.
        let head = format!("GET {} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n", step.path);
        Self { request: head, expect: step.expect.clone() }
    }

    /// Asks once, where the service is known to listen; gives the time at which the answer ended.
    pub fn ask(&self, addr: SocketAddr, timeout: Duration) -> Result<u64> {
        self.attempt(addr, timeout).map_err(|miss| match miss {
            Miss::NotYet(error) | Miss::Wrong(error) => error,
        })
    }

    /// Asks until there is a right answer; gives the time at which it ended. Between attempts it sleeps for `pause`,
    /// so that a container engine which needs the CPU to start the service gets it.
    ///
    /// # Errors
    /// A wrong answer at once; no answer until the timeout; `given_up` turned true.
    pub fn ask_until(
        &self,
        addr: SocketAddr,
        pause: Duration,
        timeout: Duration,
        given_up: &dyn Fn() -> bool,
    ) -> Result<u64> {
        let begun = Instant::now();
        loop {
            match self.attempt(addr, timeout.saturating_sub(begun.elapsed()).max(pause)) {
                Ok(answered) => return Ok(answered),
                Err(Miss::Wrong(error)) => return Err(error),
                Err(Miss::NotYet(error)) => {
                    ensure!(!given_up(), "it ended before it answered");
                    if begun.elapsed() > timeout {
                        return Err(error.context(format!("no right answer from {addr} within {timeout:?}")));
                    }
                    std::thread::sleep(pause);
                }
            }
        }
    }

    fn attempt(&self, addr: SocketAddr, timeout: Duration) -> Result<u64, Miss> {
        let mut answer = Vec::with_capacity(1024);
        let mut exchange = || -> std::io::Result<u64> {
            let mut stream = TcpStream::connect_timeout(&addr, timeout)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(timeout))?;
            stream.write_all(self.request.as_bytes())?;
            stream.read_to_end(&mut answer)?;
            Ok(monotonic_ns())
        };
        let answered = exchange().map_err(|error| {
            let timed_out = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
            let error = anyhow::Error::from(error).context(format!("cannot ask {addr}"));
            if timed_out { Miss::Wrong(error.context("connected, and no answer in time")) } else { Miss::NotYet(error) }
        })?;
        if answer.is_empty() {
            return Err(Miss::NotYet(anyhow!("{addr} closed the connection without an answer")));
        }
        self.check(&answer).map_err(Miss::Wrong)?;
        Ok(answered)
    }

    fn check(&self, answer: &[u8]) -> Result<()> {
        let text = String::from_utf8_lossy(answer);
        let (head, body) = text.split_once("\r\n\r\n").with_context(|| format!("not an HTTP answer: `{text}`"))?;
        let status = head.split(' ').nth(1).unwrap_or_default();
        ensure!(status == self.expect.status.to_string(), "the first answer has the status {status}: `{text}`");
        // A chunked body shows its chunk lengths; its JSON is what stands between the outer braces.
        if let (Some(expected), Some(from), Some(to)) = (&self.expect.json, body.find('{'), body.rfind('}')) {
            let found = serde_json::from_str(&body[from..=to]).context("the first answer's body is not JSON")?;
            if let Some(difference) = difference(expected, &found) {
                return Err(anyhow!("the first answer is wrong: {difference}"));
            }
        } else {
            ensure!(self.expect.json.is_none(), "the first answer has no JSON body: `{text}`");
        }
        let missing = self.expect.contains.iter().find(|needle| !body.contains(needle.as_str()));
        ensure!(missing.is_none(), "the first answer does not contain `{}`: `{text}`", missing.unwrap());
        Ok(())
    }
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

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_right_answer_ends_it_whether_plain_or_chunked() {
        let plain = server(&["HTTP/1.1 200 OK\r\n\r\n{\"status\":\"ok\"}"]);
        assert!(probe().ask(plain, SECOND).is_ok());
        let chunked = server(&["HTTP/1.1 200 OK\r\n\r\nf\r\n{\"status\":\"ok\"}\r\n0\r\n\r\n"]);
        assert!(probe().ask(chunked, SECOND).is_ok());
    }

    #[test]
    fn an_accepted_connection_without_an_answer_is_asked_again() {
        let addr = server(&["", "", "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"ok\"}"]);
        assert!(probe().ask_until(addr, Duration::from_millis(1), SECOND, &|| false).is_ok());
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
            let error = format!("{:#}", probe().ask(server(answers), SECOND).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn nobody_there_ends_when_given_up() {
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = probe().ask_until(addr, Duration::from_millis(1), SECOND, &|| true).unwrap_err();
        assert_eq!(error.to_string(), "it ended before it answered");
    }
}
