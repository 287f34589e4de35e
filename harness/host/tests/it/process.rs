//! A running host, and asking it things over HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tare_protocol::Event;

use crate::artifacts::Program;

/// Far beyond what anything here takes: only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// A host process; killed when it is dropped.
pub(crate) struct Host {
    child: Child,
    stdin: Option<ChildStdin>,
    events: Receiver<Event>,
    log: Option<JoinHandle<String>>,
}

/// How a host ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) log: String,
    pub(crate) events: Vec<Event>,
}

impl Host {
    /// Starts `host serve` with arguments.
    pub(crate) fn serve<S: AsRef<str>>(program: &Path, args: &[S]) -> Self {
        Self::start(&mut Command::new(program), args)
    }

    /// The same with so many open files at most.
    pub(crate) fn with_files<S: AsRef<str>>(most: u32, program: &Path, args: &[S]) -> Self {
        let limited = format!(r#"ulimit -n {most}; exec "$0" "$@""#);
        Self::start(Command::new("sh").arg("-c").arg(limited).arg(program), args)
    }

    fn start<S: AsRef<str>>(command: &mut Command, args: &[S]) -> Self {
        let mut child = command
            .arg("serve")
            .args(args.iter().map(AsRef::as_ref))
            // Must not reach a component.
            .env("TARE_TEST_SECRET", "secret")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the host starts");
        let (sender, events) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        std::thread::spawn(move || {
            for line in stdout.lines() {
                let line = line.expect("events are UTF-8");
                let event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        let mut stderr = child.stderr.take().expect("it is piped");
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).expect("the log is UTF-8");
            log
        });
        Self { stdin: child.stdin.take(), child, events, log: Some(log) }
    }

    /// Starts a host with the component that misbehaves, and says where that listens.
    pub(crate) fn guest(program: &Program, settings: &[&str]) -> (Self, SocketAddr) {
        Self::with(&program.aot, &program.guest, settings)
    }

    /// Starts a host with one service called `guest`, and says where that listens.
    pub(crate) fn with(program: &Path, component: &Path, settings: &[&str]) -> (Self, SocketAddr) {
        let service = format!("guest={}@127.0.0.1:0", component.display());
        let mut host = Self::serve(program, &[&["--service", &service], settings].concat());
        let addr = host.listening("guest");
        (host, addr)
    }

    /// The next event.
    pub(crate) fn event(&mut self) -> Event {
        self.events.recv_timeout(PATIENCE).expect("the host says something")
    }

    /// Reads events until a service listens.
    pub(crate) fn listening(&mut self, name: &str) -> SocketAddr {
        loop {
            match self.event() {
                Event::Listening { service, addr, .. } if service == name => return addr,
                Event::Failed { service, error } => panic!("{service}: {error}"),
                _ => {}
            }
        }
    }

    /// Sends a command.
    pub(crate) fn command(&mut self, command: &tare_protocol::Command) {
        let line = serde_json::to_string(command).expect("a command is plain");
        self.write(&line);
    }

    /// Sends a line.
    pub(crate) fn write(&mut self, line: &str) {
        writeln!(self.stdin.as_ref().expect("it was not closed"), "{line}").expect("the host reads");
    }

    /// Ends standard input.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid is positive"));
        kill(pid, signal).expect("the host runs");
    }

    /// What the process has of the machine's memory, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the host runs");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells it");
        resident.trim().trim_end_matches(" kB").parse::<u64>().expect("it is a number") * 1024
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(mut self) -> Ended {
        let status = self.child.wait().expect("the host can be waited for");
        let log = self.log.take().expect("it is taken here only").join().expect("the log was read");
        Ended { code: status.code(), log, events: self.events.iter().collect() }
    }

    /// Ends the process as a user would, and returns its log.
    pub(crate) fn stop(self) -> String {
        self.signal(Signal::SIGTERM);
        let ended = self.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        ended.log
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Connects, and sends something that need not be a whole request.
pub(crate) fn sent(addr: SocketAddr, bytes: &str) -> TcpStream {
    let mut connection = TcpStream::connect(addr).expect("the host listens");
    connection.set_read_timeout(Some(PATIENCE)).expect("it is more than nothing");
    connection.write_all(bytes.as_bytes()).expect("the host reads");
    connection
}

/// Reads until the host ends the connection.
pub(crate) fn rest(mut connection: TcpStream) -> String {
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).expect("the host ends the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: Option<String>,
    pub(crate) text: String,
}

/// Gets a path; every status is an answer.
pub(crate) fn get(addr: SocketAddr, path: &str) -> Answer {
    answer(agent().get(format!("http://{addr}{path}")).call()).expect("the host answers")
}

/// Gets the text of a path that must be answered with 200.
pub(crate) fn text(addr: SocketAddr, path: &str) -> String {
    let answer = get(addr, path);
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.text
}

/// Posts a body of known length, or in chunks.
pub(crate) fn post(addr: SocketAddr, path: &str, body: &[u8], chunked: bool) -> Answer {
    let request = agent().post(format!("http://{addr}{path}"));
    let sent = if chunked {
        request.send(ureq::SendBody::from_owned_reader(std::io::Cursor::new(body.to_vec())))
    } else {
        request.send(body)
    };
    answer(sent).expect("the host answers")
}

/// Gets a path whose answer may break off; the error is of reading the body.
pub(crate) fn try_get(addr: SocketAddr, path: &str) -> Result<Answer, ureq::Error> {
    answer(agent().get(format!("http://{addr}{path}")).call())
}

/// Whether an answer is the host's own, of this status.
pub(crate) fn is_problem(answer: &Answer, status: u16) -> bool {
    answer.status == status
        && answer.kind.as_deref() == Some("application/problem+json")
        && serde_json::from_str::<serde_json::Value>(&answer.text).is_ok_and(|problem| problem["status"] == status)
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into()
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, ureq::Error> {
    let mut response = result?;
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    Ok(Answer { status: response.status().as_u16(), kind, text: response.body_mut().read_to_string()? })
}
