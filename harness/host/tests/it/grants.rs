//! What components may be granted, and what they get without it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use tare_protocol::Event;

use crate::artifacts::{Program, WASIX, WASMER, WASMTIME};
use crate::process::{Host, post, text};

on_every_host! {
    settings_are_found_by_their_names,
    sockets_are_there_and_denied,
    requests_are_denied_without_a_grant,
    a_grant_that_is_not_one_is_a_usage_error,
}

fn settings_are_found_by_their_names(program: &Program) {
    let (host, addr) = Host::guest(program, &["--config", "A=1", "--config", "B=x=y", "--config", "A=2"]);
    assert_eq!(text(addr, "/config?A"), r#"Ok(Some("2"))"#);
    assert_eq!(text(addr, "/config?C"), "Ok(None)");
    assert_eq!(text(addr, "/config"), r#"[("A", "2"), ("B", "x=y")]"#);
    host.stop();
    let (host, addr) = Host::guest(program, &[]);
    assert_eq!(text(addr, "/config"), "[]");
    host.stop();
}

fn sockets_are_there_and_denied(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    let denied = r#"Err("access-denied")"#;
    assert_eq!(text(addr, "/sockets"), format!("{denied} {denied} false false"));
    assert_eq!(text(addr, "/hello"), "hello");
    host.stop();
}

fn requests_are_denied_without_a_grant(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    for scheme in ["http", "https"] {
        assert_eq!(text(addr, &format!("/outgoing?127.0.0.1:9&/&{scheme}")), "ErrorCode::HttpRequestDenied");
    }
    assert_eq!(text(addr, "/hello"), "hello");
    assert_eq!(host.stop(), "", "to be denied is no failure");
}

fn a_grant_that_is_not_one_is_a_usage_error(program: &Program) {
    for grant in [["--outgoing", "http://here"], ["--outgoing", "here:0"], ["--dir", "/tmp"], ["--config", "=1"]] {
        let ended = Host::serve(&program.aot, &["--control", grant[0], grant[1]]).wait();
        assert_eq!(ended.code, Some(2), "{grant:?}");
        assert!(ended.log.contains(grant[0]), "{grant:?}: {}", ended.log);
    }
}

/// Whether there is no more of a request: bodies of unknown length come in chunks, of which the last one is empty.
fn is_whole(request: &str) -> bool {
    let whole = |(head, body): (&str, &str)| !head.to_lowercase().contains("chunked") || body.ends_with("0\r\n\r\n");
    request.split_once("\r\n\r\n").is_some_and(whole)
}

/// A server that answers each of so many requests with what it was sent.
fn server(requests: usize) -> (SocketAddr, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        let serve = |_| {
            let (mut connection, _) = listener.accept().unwrap();
            let (mut text, mut piece) = (String::new(), [0; 4096]);
            while !is_whole(&text) {
                let length = connection.read(&mut piece).unwrap();
                assert!(length > 0, "the request breaks off: {text}");
                text += std::str::from_utf8(&piece[..length]).unwrap();
            }
            let answer = format!("{} bytes", text.len());
            let head = format!("HTTP/1.1 203 Fine\r\nContent-Length: {}\r\n\r\n", answer.len());
            connection.write_all(format!("{head}{answer}").as_bytes()).unwrap();
            text
        };
        (0..requests).map(serve).collect()
    });
    (addr, serving)
}

#[test]
fn requests_go_where_they_are_granted_to() {
    let (there, serving) = server(3);
    let granted = there.to_string();
    let (host, addr) = Host::guest(&WASMTIME, &["--outgoing", &granted, "--reuse", "10"]);
    for _ in 0..2 {
        let answer = text(addr, &format!("/outgoing?{granted}&/path"));
        assert!(answer.starts_with("203 ") && answer.ends_with(" bytes"), "{answer}");
    }
    let answer = post(addr, &format!("/outgoing?{granted}&/other"), &[b'x'; 10_000], false);
    assert!(answer.text.starts_with("203 10"), "the length of a head and of the body in chunks: {}", answer.text);

    for (elsewhere, why) in [
        (format!("127.0.0.1:{}&/", there.port() ^ 1), "ErrorCode::HttpRequestDenied"),
        (format!("localhost:{}&/", there.port()), "ErrorCode::HttpRequestDenied"),
        (format!("{granted}&/&https"), "plain http only"),
    ] {
        let answer = text(addr, &format!("/outgoing?{elsewhere}"));
        assert!(answer.contains(why), "{elsewhere}: {answer}");
    }
    let seen = serving.join().unwrap();
    assert!(seen[0].starts_with("GET /path HTTP/1.1\r\n"), "{}", seen[0]);
    assert!(seen[0].to_lowercase().contains(&format!("host: {granted}\r\n")), "{}", seen[0]);
    // The server is gone.
    assert_eq!(text(addr, &format!("/outgoing?{granted}&/")), "ErrorCode::ConnectionRefused");
    host.stop();
}

#[test]
fn a_request_that_is_not_answered_ends_at_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let granted = silent.local_addr().unwrap().to_string();
    let (host, addr) = Host::guest(&WASMTIME, &["--outgoing", &granted, "--deadline", "300ms"]);
    assert_eq!(crate::process::get(addr, &format!("/outgoing?{granted}&/")).status, 504);
    assert_eq!(text(addr, "/hello"), "hello");
    host.stop();
}

#[test]
fn folders_are_seen_under_the_name_they_are_granted_by() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "there").unwrap();
    let path = folder.path().display();
    let (open, closed) = (format!("{path}=/data"), format!("{path}=/fixed:ro"));
    let (host, addr) = Host::guest(&WASMTIME, &["--dir", &open, "--dir", &closed]);
    assert_eq!(text(addr, "/read?/data/file"), "there");
    assert_eq!(text(addr, "/write?/data/other&new"), "written");
    assert_eq!(std::fs::read_to_string(folder.path().join("other")).unwrap(), "new");
    assert_eq!(text(addr, "/read?/fixed/other"), "new");
    assert_ne!(text(addr, "/write?/fixed/other&newer"), "written");
    assert_eq!(text(addr, "/read?/data/other"), "new");
    assert_ne!(text(addr, "/read?/data/../../../../etc/hostname"), std::fs::read_to_string("/etc/hostname").unwrap());
    host.stop();

    let ended = Host::serve(&WASMTIME.aot, &["--control", "--dir", &format!("{path}/missing=/data")]).wait();
    assert_eq!(ended.code, Some(2));
    assert!(ended.log.contains("missing") && ended.log.contains("--dir"), "{}", ended.log);
}

#[test]
fn what_a_runtime_cannot_grant_is_refused() {
    for (program, option, value) in [
        (&*WASMER.aot, "--outgoing", "127.0.0.1:80"),
        (&*WASMER.aot, "--dir", "/tmp=/data"),
        (&*WASIX, "--outgoing", "127.0.0.1:80"),
        (&*WASIX, "--config", "A=1"),
    ] {
        let ended = Host::serve(program, &["--control", option, value]).wait();
        assert_eq!(ended.code, Some(2));
        assert!(ended.log.contains(option), "{}", ended.log);
        assert!(ended.events.iter().all(|event| !matches!(event, Event::Ready { .. })), "{:?}", ended.events);
    }
}
