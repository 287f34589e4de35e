//! The corners of the interfaces, asked of every host: equal answers are demanded.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::artifacts::Program;
use crate::process::{Host, get, is_problem, post, rest, sent, text, try_get};

on_every_host! {
    a_request_is_seen_as_it_was_sent,
    a_request_names_one_host_unless_it_is_of_http_1_0,
    an_answer_that_is_known_is_sent_with_its_length,
    bodies_of_any_length_pass_both_ways,
    many_headers_are_sent,
    an_answer_may_begin_before_the_request_has_ended,
    clocks_go_and_timers_keep_their_word,
    random_values_differ,
    fields_are_checked,
    a_body_of_another_length_than_promised_is_an_error,
    a_component_may_refuse_or_exit,
    a_component_may_go_on_after_its_answer,
    a_client_that_leaves_costs_nobody_else,
}

/// Sends bytes, and reads until the host ends the connection.
fn raw(addr: SocketAddr, request: &str) -> String {
    rest(sent(addr, request))
}

fn a_request_is_seen_as_it_was_sent(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    let request = "SPAM /request?a=%20&b HTTP/1.1\r\nHost: here:80\r\nX-B: 2\r\nx-b: 3\r\nConnection: close\r\n\r\n";
    let answer = raw(addr, request);
    let seen = r#"Method::Other("SPAM") Some(Scheme::Http) true Some("/request?a=%20&b") x-b=2,x-b=3"#;
    assert!(answer.ends_with(&format!("\r\n\r\n{seen}")), "{answer}");
    host.stop();
}

fn a_request_names_one_host_unless_it_is_of_http_1_0(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    let ask = |head: &str| raw(addr, &format!("GET /authority HTTP/{head}Connection: close\r\n\r\n"));
    for (head, seen) in [
        ("1.1\r\nHost: here\r\n", "here".to_owned()),
        ("1.1\r\nHost: [::1]:80\r\n", "[::1]:80".to_owned()),
        ("1.0\r\nHost: here\r\n", "here".to_owned()),
        ("1.0\r\n", addr.to_string()),
    ] {
        let answer = ask(head);
        assert!(answer.split(' ').nth(1) == Some("200") && answer.contains(&format!("Some({seen:?})")), "{answer}");
    }
    for head in [
        "1.1\r\n",
        "1.1\r\nHost: here\r\nHost: here\r\n",
        "1.0\r\nHost: here\r\nHost: there\r\n",
        "1.1\r\nHost: me@here\r\n",
    ] {
        let answer = ask(head);
        assert!(answer.split(' ').nth(1) == Some("400") && answer.contains("application/problem+json"), "{answer}");
    }
    host.stop();
}

fn an_answer_that_is_known_is_sent_with_its_length(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    let ask = |path: &str| raw(addr, &format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"));
    for (path, length) in [("/hello", 5), ("/headers?1", 0), ("/short?5&5", 5)] {
        let answer = ask(path).to_lowercase();
        assert!(answer.contains(&format!("content-length: {length}\r\n")), "{answer}");
        assert!(!answer.contains("chunked"), "{answer}");
    }
    let answer = ask("/stream?3").to_lowercase();
    assert!(answer.contains("transfer-encoding: chunked\r\n") && !answer.contains("content-length"), "{answer}");
    host.stop();
}

fn bodies_of_any_length_pass_both_ways(program: &Program) {
    for settings in [&["--max-body", "10000000"][..], &["--max-body", "10000000", "--reuse", "100"]] {
        let (host, addr) = Host::guest(program, settings);
        for length in [0, 1, 4095, 4096, 65_536, 300_001, 5_000_000] {
            let body: Vec<u8> = (0..length).map(|index: u32| b'a' + u8::try_from(index % 26).unwrap()).collect();
            for chunked in [false, true] {
                let answer = post(addr, "/mirror", &body, chunked);
                assert_eq!(answer.status, 200);
                assert!(
                    answer.text.as_bytes() == body,
                    "{length} bytes, chunked {chunked}: {} came",
                    answer.text.len()
                );
            }
        }
        host.stop();
    }
}

fn many_headers_are_sent(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    for count in [0, 1, 90] {
        let answer = raw(addr, &format!("GET /headers?{count} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 203 "), "{answer}");
        assert_eq!(answer.lines().filter(|line| line.starts_with("x-")).count(), count);
    }
    // More than fields may take.
    assert_eq!(get(addr, "/headers?100000").status, 500);
    assert_eq!(text(addr, "/hello"), "hello");
    host.stop();
}

fn an_answer_may_begin_before_the_request_has_ended(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    let mut connection = TcpStream::connect(addr).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    connection.write_all(b"POST /early HTTP/1.1\r\nHost: here\r\nContent-Length: 6\r\n\r\nabc").unwrap();
    let mut begun = String::new();
    while !begun.contains("begun") {
        let mut piece = [0; 1024];
        let length = connection.read(&mut piece).unwrap();
        assert!(length > 0, "{begun}");
        begun += std::str::from_utf8(&piece[..length]).unwrap();
    }
    assert!(begun.starts_with("HTTP/1.1 200"), "{begun}");
    connection.write_all(b"def").unwrap();
    let mut rest = String::new();
    while !rest.contains("0\r\n\r\n") {
        let mut piece = [0; 1024];
        let length = connection.read(&mut piece).unwrap();
        assert!(length > 0, "{rest}");
        rest += std::str::from_utf8(&piece[..length]).unwrap();
    }
    assert!(rest.contains("Ok(6)"), "{rest}");
    host.stop();
}

fn clocks_go_and_timers_keep_their_word(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    assert_eq!(text(addr, "/clocks"), "true false [0] true");
    host.stop();
}

fn random_values_differ(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    assert_eq!(text(addr, "/random"), "32 true true false true");
    host.stop();
}

fn fields_are_checked(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    let refused = |what: &str| format!("Err(\"HeaderError::{what}\")");
    let syntax = refused("InvalidSyntax");
    let tried = format!("[Ok(()), Ok(()), {syntax}, {syntax}, {}, {syntax}]", refused("Forbidden"));
    assert_eq!(text(addr, "/fields"), format!("{tried} true true 2 {}", refused("Immutable")));
    host.stop();
}

fn a_body_of_another_length_than_promised_is_an_error(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    assert_eq!(text(addr, "/short?5&5"), "xxxxx");
    assert_eq!(text(addr, "/short?5&3"), "true Err(ErrorCode::HttpResponseBodySize(Some(3)))");
    assert_eq!(text(addr, "/short?5&7"), "false Err(ErrorCode::HttpResponseBodySize(Some(7)))");
    host.stop();
}

fn a_component_may_refuse_or_exit(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    assert!(is_problem(&get(addr, "/refuse"), 500));
    assert!(is_problem(&get(addr, "/exit"), 500));
    assert_eq!(text(addr, "/hello"), "hello");
    let log = host.stop();
    assert!(log.contains("answered with an error") && log.contains("as asked"), "{log}");
    assert!(log.to_lowercase().contains("exit"), "{log}");
}

fn a_component_may_go_on_after_its_answer(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    assert_eq!(text(addr, "/late?200"), "answered");
    std::thread::sleep(Duration::from_millis(600));
    let log = host.stop();
    assert!(log.contains("[guest] to standard output"), "{log}");
}

fn a_client_that_leaves_costs_nobody_else(program: &Program) {
    let (host, addr) = Host::guest(program, &["--max-instances", "2", "--deadline", "500ms"]);
    for _ in 0..4 {
        let mut connection = TcpStream::connect(addr).unwrap();
        connection.write_all(b"GET /stream?1000 HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    }
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(text(addr, "/hello"), "hello");
    assert!(try_get(addr, "/hello").is_ok());
    host.stop();
}
