//! The program in the images of the tests: answers every request with what it is allowed to do, and fills its memory
//! when asked for `/eat`.

use std::io::{Read, Write};
use std::net::TcpListener;

fn main() {
    let addr = std::env::var("LISTEN_ADDR").expect("LISTEN_ADDR is set");
    let listener = TcpListener::bind(&addr).unwrap_or_else(|error| {
        eprintln!("cannot listen on {addr}: {error}");
        std::process::exit(3);
    });
    println!("listening on {addr}");
    for connection in listener.incoming() {
        let mut connection = connection.expect("a connection");
        let mut request = [0; 1024];
        let length = connection.read(&mut request).unwrap_or(0);
        if request[..length].starts_with(b"GET /eat ") {
            eat();
        }
        let report = report();
        let answer =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{report}", report.len());
        // A client that has gone away does not end the server.
        let _ = connection.write_all(answer.as_bytes());
    }
}

fn report() -> String {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let wanted = ["Uid:", "Gid:", "CapEff:", "CapBnd:", "NoNewPrivs:", "Cpus_allowed_list:"];
    let mut report: String = status
        .lines()
        .filter(|line| wanted.iter().any(|name| line.starts_with(name)))
        .map(|line| line.replace('\t', " ") + "\n")
        .collect();
    report += &match std::fs::write("/written", "x") {
        Ok(()) => "root: writable\n".to_owned(),
        Err(error) => format!("root: {:?}\n", error.kind()),
    };
    for (name, value) in std::env::vars() {
        report += &format!("env: {name}={value}\n");
    }
    for argument in std::env::args().skip(1) {
        report += &format!("arg: {argument}\n");
    }
    report
}

fn eat() -> ! {
    let mut eaten = Vec::new();
    loop {
        eaten.push(vec![1_u8; 1 << 20]);
    }
}
