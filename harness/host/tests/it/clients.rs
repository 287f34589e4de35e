//! Clients that take their time, hold what they do not use, or leave: each costs itself, and no other.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::artifacts::Program;
use crate::process::{Host, post, rest, sent, text};

on_every_host! {
    bodies_under_way_do_not_keep_others_from_running,
    a_component_that_keeps_bodies_keeps_no_places,
    a_body_that_stops_coming_is_told_so,
    a_body_may_come_slowly,
    a_head_that_does_not_come_ends_its_connection,
    a_client_that_ends_its_side_gets_its_answer,
    a_client_is_refused_where_there_are_no_files_left,
}

/// Far more than anything here takes, and less than the deadline that is set for it.
const SOON: Duration = Duration::from_secs(15);

fn bodies_under_way_do_not_keep_others_from_running(program: &Program) {
    for most in ["1", "4"] {
        let settings = ["--max-instances", most, "--deadline", "50s", "--body-timeout", "40s", "--reuse", "10"];
        let (host, addr) = Host::guest(program, &settings);
        let head = "POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 8\r\nConnection: close\r\n\r\n";
        let mut slow: Vec<TcpStream> = (0..40).map(|_| sent(addr, &format!("{head}half"))).collect();
        // Long enough for all of them to have taken what they can have.
        std::thread::sleep(Duration::from_millis(500));
        if most != "1" {
            let began = Instant::now();
            for _ in 0..20 {
                assert_eq!(text(addr, "/hello"), "hello");
                assert_eq!(post(addr, "/echo", b"whole", true).text, "5");
            }
            assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        }
        // They come to their end in any order, and no two wait for each other.
        for connection in slow.iter_mut().rev() {
            connection.write_all(b"full").unwrap();
        }
        for connection in slow {
            let answer = rest(connection);
            assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n8"), "{answer}");
        }
        assert_eq!(host.stop(), "");
    }
}

fn a_component_that_keeps_bodies_keeps_no_places(program: &Program) {
    let (host, addr) = Host::guest(program, &["--max-instances", "4", "--reuse", "100", "--body-timeout", "40s"]);
    let head = "HTTP/1.1\r\nHost: here\r\nContent-Length: 8\r\nConnection: close\r\n\r\nhalf";
    for _ in 0..8 {
        let answer = rest(sent(addr, &format!("POST /keep {head}")));
        assert!(answer.ends_with("\r\n\r\nkept"), "{answer}");
    }
    let mut connection = sent(addr, &format!("POST /early {head}"));
    let (mut begun, mut piece) = (String::new(), [0; 1024]);
    while !begun.contains("begun") {
        let length = connection.read(&mut piece).expect("there is a place for it");
        assert!(length > 0, "{begun}");
        begun += std::str::from_utf8(&piece[..length]).unwrap();
    }
    connection.write_all(b"full").unwrap();
    assert!(rest(connection).contains("Ok(8)"));
    host.stop();
}

fn a_body_that_stops_coming_is_told_so(program: &Program) {
    let (host, addr) = Host::guest(program, &["--body-timeout", "300ms"]);
    for part in [
        "Content-Length: 8\r\n\r\n",
        "Content-Length: 8\r\n\r\nhalf",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let answer = rest(sent(addr, &format!("POST /echo HTTP/1.1\r\nHost: here\r\n{part}")));
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("application/problem+json"), "{part}: {answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        // Of a component that reads no body, nobody waits for one.
        let answer = rest(sent(addr, &format!("POST /hello HTTP/1.1\r\nHost: here\r\n{part}")));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{part}: {answer}");
    }
    assert_eq!(host.stop(), "", "it is the client's doing");
}

fn a_body_may_come_slowly(program: &Program) {
    let (host, addr) = Host::guest(program, &["--body-timeout", "1s"]);
    let head = "POST /mirror HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\nConnection: close\r\n\r\n";
    let mut connection = sent(addr, head);
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(150));
        connection.write_all(b"x").unwrap();
    }
    let answer = rest(connection);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.matches('x').count() >= 10, "{answer}");
    host.stop();
}

fn a_head_that_does_not_come_ends_its_connection(program: &Program) {
    let (host, addr) = Host::guest(program, &["--header-timeout", "500ms"]);
    assert_eq!(rest(sent(addr, "")), "");
    assert_eq!(rest(sent(addr, "GET /hello HTTP/1.1\r\nHo")), "");
    let answer = rest(sent(addr, "GET /hello HTTP/1.1\r\nHost: here\r\n\r\n"));
    assert!(answer.ends_with("\r\n\r\nhello"), "then it waits for the next one: {answer}");
    // A byte now and then is no head either.
    let mut connection = sent(addr, "GET /hello HTTP/1.1\r\nX: ");
    connection.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let began = Instant::now();
    let ended = |connection: &mut TcpStream| match connection.read(&mut [0; 64]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    };
    while !ended(&mut connection) {
        assert!(began.elapsed() < SOON, "it is kept");
        // It may be gone by now.
        let _ = connection.write_all(b"x");
    }
    // What is under way takes as long as it takes.
    assert_eq!(text(addr, "/sleep?1000"), "slept");
    host.stop();
}

fn a_client_that_ends_its_side_gets_its_answer(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    for request in [
        "GET /sleep?200 HTTP/1.1\r\nHost: here\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nbody",
        "GET /stream?10 HTTP/1.1\r\nHost: here\r\n\r\n",
    ] {
        let connection = sent(addr, request);
        connection.shutdown(Shutdown::Write).unwrap();
        let answer = rest(connection);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{request}: {answer}");
        assert!(!answer.contains("chunked") || answer.ends_with("0\r\n\r\n"), "{answer}");
    }
    host.stop();
}

fn a_client_is_refused_where_there_are_no_files_left(program: &Program) {
    let service = format!("guest={}@127.0.0.1:0", program.guest.display());
    let mut host = Host::with_files(64, &program.aot, &["--service", &service]);
    let addr = host.listening("guest");
    for _ in 0..2 {
        let all: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(addr).unwrap()).collect();
        std::thread::sleep(Duration::from_millis(500));
        let refused = all.iter().filter(|connection| {
            connection.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let mut connection = *connection;
            !matches!(connection.read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
        });
        assert!(
            (36..100).contains(&refused.count()),
            "all that it cannot have are told so, and those that it can have wait"
        );
        drop(all);
        let began = Instant::now();
        while crate::process::try_get(addr, "/hello").is_err() {
            assert!(began.elapsed() < SOON, "it serves again when there is room");
        }
    }
    let log = host.stop();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("connections are refused") && log.contains("ulimit"), "{log}");
}
