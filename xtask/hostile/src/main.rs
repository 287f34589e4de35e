//! A program that does what no service should: it answers, prints, ends and stays in every wrong way. `cargo xtask faults` has
//! it measured.
//!
//! `hostile PORT BEHAVIOUR [MARKS]` answers HTTP on that port of 127.0.0.1. How far it is, it appends to the file MARKS, a line
//! each: `started`, `request N` for the first requests, `load` when there are many connections, `term` for SIGTERM.

mod answers;
mod deeds;
mod sys;

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Builder};

use crate::answers::{Answer, Exchange};

/// So many connections are a load: one request after another comes on one.
const LOAD: u64 = 8;

/// So many requests are marked.
const MARKED: u64 = 3;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (port, behaviour, marks) = (args.next(), args.next(), args.next());
    let (Some(Ok(port)), Some(behaviour)) = (port.map(|port| port.parse()), behaviour) else {
        return told("it takes PORT BEHAVIOUR [MARKS]");
    };
    let (deed, answer) = (deeds::of(&behaviour), answers::of(&behaviour));
    if deed.is_none() && answer.is_none() {
        return told("no such behaviour");
    }
    let hostile = Hostile { port, marks };
    hostile.mark("started");
    if let Some(deed) = deed {
        deed(&hostile);
    }
    let everywhere = behaviour == "open-to-all";
    match hostile.serve(everywhere, answer.unwrap_or(answers::good)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => told(&error.to_string()),
    }
}

fn told(what: &str) -> ExitCode {
    // Nobody is there to be told where standard error is closed.
    let _ = writeln!(io::stderr(), "hostile: {what}");
    ExitCode::from(2)
}

/// The program as it was started.
struct Hostile {
    port: u16,
    marks: Option<String>,
}

impl Hostile {
    /// Says how far it is.
    fn mark(&self, what: &str) {
        let Some(marks) = &self.marks else { return };
        if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(marks) {
            let _ = file.write_all(format!("{what}\n").as_bytes());
        }
    }

    fn serve(&self, everywhere: bool, answer: Answer) -> io::Result<()> {
        let address = if everywhere { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        let listener = TcpListener::bind((address, self.port))?;
        let (connections, requests) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for stream in listener.incoming() {
                let stream = stream?;
                if connections.fetch_add(1, Ordering::Relaxed) + 1 == LOAD {
                    self.mark("load");
                }
                // A connection that breaks off is its client's business, and one for which there is no thread breaks off.
                let _ = Builder::new().spawn_scoped(scope, || self.talk(stream, &requests, answer).ok());
            }
            Ok(())
        })
    }

    fn talk(&self, mut stream: TcpStream, requests: &AtomicU64, answer: Answer) -> io::Result<()> {
        stream.set_nodelay(true)?;
        while let Some(last) = heard(&mut stream)? {
            let request = requests.fetch_add(1, Ordering::Relaxed) + 1;
            if request <= MARKED {
                self.mark(&format!("request {request}"));
            }
            if !answer(&mut Exchange { stream: &mut stream, request })? || last {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Reads a request, which has no body; whether its client wants no other one. `None` where there is none.
fn heard(stream: &mut TcpStream) -> io::Result<Option<bool>> {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(bytes) => head.extend(buffer.iter().take(bytes)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if head.ends_with(b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
            return Ok(Some(head.contains("connection: close")));
        }
    }
}
