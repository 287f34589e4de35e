//! Components of plain values, without `wasi:http`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::artifacts::{Program, build_as};
use crate::process::{Host, get, is_problem, post, text};

on_every_host! {
    the_services_store_passes_its_suite_without_wasi_http,
    a_request_passes_as_it_was_sent,
    what_breaks_the_rules_costs_its_own_request,
    a_loop_is_ended_at_its_deadline,
}

/// A component whose handler does something with its parameters, which are addresses and lengths; it returns the address of
/// its answer. The answer at 16 is: status 203, a header `x-a: yes`, and the body that `$body` and `$length` say.
fn component(deed: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $main
                (memory (export "memory") 2)
                (global $next (mut i32) (i32.const 4096))
                (data (i32.const 16) "\cb\00\00\00\40\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00")
                (data (i32.const 64) "\60\00\00\00\03\00\00\00\70\00\00\00\03\00\00\00")
                (data (i32.const 96) "x-a")
                (data (i32.const 112) "yes")
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                    (global.set $next (i32.add (local.get $at) (local.get 3)))
                    (local.get $at))
                (func $answer (param $body i32) (param $length i32) (result i32)
                    (i32.store (i32.const 28) (local.get $body))
                    (i32.store (i32.const 32) (local.get $length))
                    (i32.const 16))
                (func (export "handle")
                    (param $method i32) (param $methods i32) (param $target i32) (param $targets i32)
                    (param $headers i32) (param $count i32) (param $body i32) (param $length i32)
                    (result i32) {deed}))
            (core instance $main (instantiate $main))
            (alias core export $main "memory" (core memory $memory))
            (alias core export $main "realloc" (core func $realloc))
            (alias core export $main "handle" (core func $handle))
            (type $bytes (list u8))
            (type $header (tuple string $bytes))
            (type $headers (list $header))
            (type $request' (record
                (field "method" string) (field "target" string) (field "headers" $headers) (field "body" $bytes)))
            (type $response' (record (field "status" u16) (field "headers" $headers) (field "body" $bytes)))
            (component $handler
                (type $bytes (list u8))
                (type $header (tuple string $bytes))
                (type $headers (list $header))
                (type $request' (record
                    (field "method" string) (field "target" string) (field "headers" $headers) (field "body" $bytes)))
                (type $response' (record (field "status" u16) (field "headers" $headers) (field "body" $bytes)))
                (import "request" (type $request (eq $request')))
                (import "response" (type $response (eq $response')))
                (import "handle" (func $handle (param "request" $request) (result $response)))
                (export $request'' "request" (type $request'))
                (export $response'' "response" (type $response'))
                (export "handle" (func $handle) (func (param "request" $request'') (result $response''))))
            (func $lifted (param "request" $request') (result $response')
                (canon lift (core func $handle) (memory $memory) (realloc $realloc)))
            (instance $exported (instantiate $handler
                (with "request" (type $request')) (with "response" (type $response')) (with "handle" (func $lifted))))
            (export "tare:direct/handler@0.1.0" (instance $exported)))"#
    );
    wat::parse_str(text).expect("the text is a component")
}

fn host_of(program: &Program, deeds: &[&str], settings: &[&str]) -> (Host, Vec<SocketAddr>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut args: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    for (number, deed) in deeds.iter().enumerate() {
        let path = folder.path().join(format!("{number}.wasm"));
        std::fs::write(&path, component(deed)).unwrap();
        args.extend(["--service".to_owned(), format!("{number}={}@127.0.0.1:0", path.display())]);
    }
    let mut host = Host::serve(&program.jit, &args);
    let addrs = (0..deeds.len()).map(|number| host.listening(&number.to_string())).collect();
    (host, addrs, folder)
}

fn the_services_store_passes_its_suite_without_wasi_http(program: &Program) {
    let suite = build_as(
        "service-direct",
        &["-p", "store-suite", "--bins", "--target", "wasm32-wasip2", "--features", "service-kit/direct"],
    );
    for settings in [&[][..], &["--reuse", "100"]] {
        let (host, addr) = Host::with(&program.jit, &suite, settings);
        let outcome = post(addr, "/suite", b"", false);
        assert_eq!(outcome.text, r#"{"passed":23,"failed":[]}"#);
        let contenders: Vec<_> =
            (0..20).map(|_| std::thread::spawn(move || post(addr, "/contend/key", b"", false))).collect();
        assert!(contenders.into_iter().all(|contender| contender.join().unwrap().status == 200));
        assert_eq!(text(addr, "/contend/key"), r#"{"counter":20,"record":20}"#);
        assert_eq!(get(addr, "/nowhere").status, 404);
        host.stop();
    }
}

fn a_request_passes_as_it_was_sent(program: &Program) {
    let deeds = [
        "(call $answer (local.get $method) (local.get $methods))",
        "(call $answer (local.get $target) (local.get $targets))",
        "(call $answer (local.get $body) (local.get $length))",
        // The value of the second header: `x-b`, which the first line of the test sends.
        "(call $answer (i32.load (i32.add (local.get $headers) (i32.const 24)))
                       (i32.load (i32.add (local.get $headers) (i32.const 28))))",
    ];
    let (host, addrs, _folder) = host_of(program, &deeds, &["--max-body", "1000"]);
    for (addr, expected) in addrs.iter().zip(["SPAM", "/a%20b?c", "body", "two"]) {
        let mut connection = TcpStream::connect(addr).unwrap();
        let request =
            "SPAM /a%20b?c HTTP/1.1\r\nHost: here\r\nX-B: two\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody";
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 203 ") && answer.contains("x-a: yes\r\n"), "{answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{expected}")), "{answer}");
    }
    for chunked in [false, true] {
        assert!(is_problem(&post(addrs[2], "/", &[b'x'; 1001], chunked), 413));
        assert_eq!(post(addrs[2], "/", &[b'x'; 1000], chunked).text.len(), 1000);
    }
    host.stop();
}

fn what_breaks_the_rules_costs_its_own_request(program: &Program) {
    let deeds = [
        ("(i32.const 17)", "not aligned"),
        ("(i32.const 131072)", "not all in memory"),
        ("(call $answer (i32.const 131071) (i32.const 2))", "not all in memory"),
        ("(i32.store (i32.const 24) (i32.const -1)) (i32.const 16)", "too long"),
        ("(i32.store8 (i32.const 96) (i32.const 255)) (i32.const 16)", "not UTF-8"),
        ("(i32.store8 (i32.const 96) (i32.const 32)) (i32.const 16)", "the header ` -a` is not one of HTTP"),
        ("(i32.store16 (i32.const 16) (i32.const 99)) (i32.const 16)", "the status 99 is not one of HTTP"),
        ("unreachable", "unreachable"),
    ];
    let all: Vec<&str> = deeds.iter().map(|(deed, _)| *deed).chain(["(i32.const 16)"]).collect();
    let (host, addrs, _folder) = host_of(program, &all, &[]);
    let (good, bad) = addrs.split_last().unwrap();
    for addr in bad {
        assert!(is_problem(&get(*addr, "/"), 500));
        assert_eq!(get(*good, "/").status, 203);
    }
    let log = host.stop();
    for (number, (deed, what)) in deeds.iter().enumerate() {
        let told = log.lines().find(|line| line.starts_with(&format!("[{number}] ")));
        let told = told.unwrap_or_else(|| panic!("{deed} is not told: {log}"));
        // Wasmtime has words of its own for what breaks the canonical ABI.
        if program.names_calls || what.contains("HTTP") {
            assert!(told.contains(what), "{deed}: {told}");
        }
        if program.names_calls && what.contains("not ") && !what.contains("HTTP") {
            assert!(told.contains("tare:direct/handler handle"), "{deed}: {told}");
        }
    }
}

fn a_loop_is_ended_at_its_deadline(program: &Program) {
    let deeds = ["(loop $loop (br $loop)) unreachable", "(call $answer (local.get $method) (local.get $methods))"];
    let (host, addrs, _folder) = host_of(program, &deeds, &["--deadline", "300ms"]);
    assert!(is_problem(&get(addrs[0], "/"), 504));
    assert_eq!(get(addrs[1], "/").text, "GET");
    host.stop();
}
