//! A native process: what it announces, that it serves, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

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

fn start(listen: &str) -> (Process, BufReader<ChildStdout>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_store-suite"));
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
