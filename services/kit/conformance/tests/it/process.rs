//! A native process: what it announces, that it serves, and how it ends.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// A process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_store-suite");

fn start(listen: &str) -> (Process, BufReader<ChildStdout>) {
    start_by(&mut Command::new(PROGRAM), listen)
}

fn start_by(command: &mut Command, listen: &str) -> (Process, BufReader<ChildStdout>) {
    command.env("LISTEN_ADDR", listen).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let events = BufReader::new(child.stdout.take().unwrap());
    (Process(child), events)
}

fn event(events: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    events.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

fn health(connection: &mut TcpStream) -> String {
    connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    let mut answer = [0; 4096];
    let length = connection.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[test]
fn it_announces_serves_and_ends_at_once_when_told() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (mut process, mut events) = start("127.0.0.1:0");
        let main = event(&mut events);
        assert_eq!((&main["event"], &main["phase"]), (&"phase".into(), &"main".into()));
        let listening = event(&mut events);
        assert_eq!((&listening["event"], &listening["service"]), (&"listening".into(), &"store-suite".into()));
        assert!(main["at_ns"].as_u64().unwrap() < listening["at_ns"].as_u64().unwrap());

        let addr = listening["addr"].as_str().unwrap();
        let mut connection = TcpStream::connect(addr).unwrap();
        for _ in 0..2 {
            let answer = health(&mut connection);
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(answer.ends_with(r#"{"status":"ok","service":"store-suite"}"#), "{answer}");
        }
        // The connection stays open and idle: it must not keep the process.
        kill(Pid::from_raw(i32::try_from(process.0.id()).unwrap()), signal).unwrap();
        assert_eq!(process.0.wait().unwrap().code(), Some(0));
        assert!(TcpStream::connect(addr).is_err());
    }
}

#[test]
fn it_says_why_it_cannot_listen() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (listen, told) in [("nowhere", "LISTEN_ADDR is 'nowhere'"), (&taken, &*format!("cannot listen on {taken}"))] {
        let (mut process, _events) = start(listen);
        assert_eq!(process.0.wait().unwrap().code(), Some(1));
        let mut error = String::new();
        process.0.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        assert!(error.starts_with("store-suite: ") && error.contains(told), "{error}");
    }
}

#[test]
fn a_client_is_refused_where_there_are_no_files_left() {
    let limited = r#"ulimit -n 64; exec "$0""#;
    let (mut process, mut events) = start_by(Command::new("sh").args(["-c", limited, PROGRAM]), "127.0.0.1:0");
    event(&mut events);
    let listening = event(&mut events);
    let addr = listening["addr"].as_str().unwrap();
    for _ in 0..2 {
        let all: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(addr).unwrap()).collect();
        std::thread::sleep(Duration::from_millis(500));
        let refused = all.iter().filter(|connection| {
            connection.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let mut connection = *connection;
            !matches!(connection.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
        });
        assert!((36..100).contains(&refused.count()), "all that it cannot have are told so, and no others");
        drop(all);
        let serves = || {
            let mut connection = TcpStream::connect(addr).unwrap();
            let mut answer = [0; 12];
            // It may be refused still.
            let sent = connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n");
            sent.and_then(|()| connection.read_exact(&mut answer)).is_ok_and(|()| answer == *b"HTTP/1.1 200")
        };
        let began = Instant::now();
        while !serves() {
            assert!(began.elapsed() < Duration::from_secs(15), "it serves again when there is room");
        }
    }
    kill(Pid::from_raw(i32::try_from(process.0.id()).unwrap()), Signal::SIGTERM).unwrap();
    let mut told = String::new();
    process.0.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.starts_with("store-suite: connections are refused") && told.contains("ulimit"), "{told}");
}
