//! Answers of every framing, right and wrong ones.

use std::io::Write;
use std::sync::atomic::AtomicBool;

use tare_load::{Ended, Expect, run};

use crate::server::{OK, Server, Then, reply};
use crate::{load, mix_of, settings};

/// Loads a server that always answers this and expects every answer to be found right.
fn all_right(answer: &'static [u8]) {
    let server = Server::saying(answer);
    let outcome = load(&settings(server.addr));
    assert_eq!(outcome.errors.total(), 0, "{:?}", outcome.errors);
    assert_eq!(outcome.ended, Ended::Complete);
    assert_eq!((outcome.right, outcome.latency.len()), (server.asked() as u64, outcome.right));
    assert!(outcome.right > 2 && outcome.throughput_rps() > 0.0);
    assert_eq!(server.accepted(), 2, "connections are kept");
}

/// What the first error says, and that there are as many errors of that kind as answers.
fn first_error(answer: &'static [u8], kind: &str) -> String {
    let server = Server::start(move |_, stream| {
        reply(stream, answer);
        Then::Close
    });
    let outcome = load(&settings(server.addr));
    assert_eq!((outcome.right, outcome.latency.len()), (0, 0));
    assert_eq!(outcome.throughput_rps().to_bits(), 0);
    let tallies = outcome.errors.tallies();
    let (_, tally) = tallies.iter().find(|(name, _)| *name == kind).expect("a kind of error");
    assert!(tally.count > 0, "{:?}", outcome.errors);
    tally.first.clone().expect("a description")
}

#[test]
fn content_length() {
    all_right(OK);
}

#[test]
fn chunked() {
    all_right(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\nt: v\r\n\r\n");
}

#[test]
fn interim_answers_before_the_real_one() {
    all_right(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
}

#[test]
fn answers_without_a_body() {
    for (method, status, answer) in [
        ("HEAD", 200, b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".as_slice()),
        ("GET", 204, b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", 304, b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"),
    ] {
        let server = Server::saying(answer);
        let mix = mix_of(method, "/", Expect { status, contains: Vec::new() });
        let outcome = run(&settings(server.addr), &mix, &AtomicBool::new(false)).expect("the load begins");
        assert_eq!(outcome.errors.total(), 0, "{method} {status}: {:?}", outcome.errors);
        assert_eq!(outcome.right, server.asked() as u64);
    }
}

#[test]
fn an_answer_in_many_segments() {
    let server = Server::start(|_, stream| {
        for byte in b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n" {
            if stream.write_all(&[*byte]).is_err() {
                return Then::Close;
            }
        }
        Then::KeepOpen
    });
    let outcome = load(&settings(server.addr));
    assert_eq!(outcome.errors.total(), 0, "{:?}", outcome.errors);
    assert_eq!(outcome.right, server.asked() as u64);
}

#[test]
fn an_answer_larger_than_the_buffer() {
    let body = "x".repeat(300_000) + "ok";
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let server = Server::start(move |_, stream| reply(stream, answer.as_bytes()));
    let outcome = load(&settings(server.addr));
    assert_eq!(outcome.errors.total(), 0, "{:?}", outcome.errors);
    assert_eq!(outcome.right, server.asked() as u64);
}

#[test]
fn connections_that_close_after_each_answer_are_opened_again() {
    for answer in [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok".as_slice(),
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    ] {
        let server = Server::start(move |_, stream| {
            reply(stream, answer);
            Then::Close
        });
        let outcome = load(&settings(server.addr));
        assert_eq!(outcome.errors.total(), 0, "{:?}", outcome.errors);
        assert_eq!((outcome.right, outcome.reconnects), (server.asked() as u64, outcome.right));
    }
}

#[test]
fn a_wrong_status_is_told_with_the_body() {
    let first = first_error(b"HTTP/1.1 503 Busy\r\nconnection: close\r\ncontent-length: 4\r\n\r\nlate", "status");
    assert_eq!(first, "probe: expected status 200, got 503 with `late`");
}

#[test]
fn a_wrong_body_is_told_with_what_is_missing() {
    let first = first_error(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbad", "body");
    assert_eq!(first, "probe: expected `ok` in the body, got `bad`");
}

#[test]
fn a_truncated_answer_is_a_broken_connection() {
    let first = first_error(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", "connection");
    assert_eq!(first, "probe: the connection was closed in the middle of the answer, after 40 bytes of it");
}

#[test]
fn garbage_is_no_answer() {
    let first = first_error(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "protocol");
    assert_eq!(first, "probe: not a well-formed HTTP/1.1 answer: invalid HTTP version");
}

#[test]
fn bytes_after_the_end_are_an_error() {
    let first = first_error(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok\r\n", "protocol");
    assert_eq!(first, "probe: 2 bytes after the end of the answer");
}
