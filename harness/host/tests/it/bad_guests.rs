//! Guests that break the rules of the canonical ABI: each costs its own request, and the host says in which call.

use std::path::PathBuf;

use crate::artifacts::Program;
use crate::process::{Host, get, is_problem, text};

on_every_host! {
    what_a_guest_does_wrong_is_told_by_the_call_and_costs_no_other,
}

/// A component whose handler does something; `request` and `out` are its parameters.
fn component(deed: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (import "wasi:http/types@0.2.0" (instance $types
                (export "incoming-request" (type (sub resource)))
                (export "response-outparam" (type (sub resource)))))
            (alias export $types "incoming-request" (type $request))
            (alias export $types "response-outparam" (type $out))
            (import "wasi:keyvalue/store@0.2.0-draft2" (instance $store
                (type $variant (variant (case "no-such-store") (case "access-denied") (case "other" string)))
                (export "error" (type $error (eq $variant)))
                (export "bucket" (type $bucket (sub resource)))
                (type $opened (result (own $bucket) (error $error)))
                (export "open" (func (param "identifier" string) (result $opened)))
                (type $known (result bool (error $error)))
                (export "[method]bucket.exists"
                    (func (param "self" (borrow $bucket)) (param "key" string) (result $known)))))
            (core module $memory
                (memory (export "memory") 1)
                (data (i32.const 100) "\ff\fe")
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024))
            (core instance $memory (instantiate $memory))
            (alias core export $memory "memory" (core memory $m))
            (alias core export $memory "realloc" (core func $realloc))
            (core func $open (canon lower (func $store "open") (memory $m) (realloc $realloc)))
            (core func $exists
                (canon lower (func $store "[method]bucket.exists") (memory $m) (realloc $realloc)))
            (core func $drop (canon resource.drop $request))
            (core module $main
                (import "" "open" (func $open (param i32 i32 i32)))
                (import "" "exists" (func $exists (param i32 i32 i32 i32)))
                (import "" "drop" (func $drop (param i32)))
                (func (export "handle") (param $request i32) (param $out i32) {deed}))
            (core instance $imports
                (export "open" (func $open)) (export "exists" (func $exists)) (export "drop" (func $drop)))
            (core instance $main (instantiate $main (with "" (instance $imports))))
            (alias core export $main "handle" (core func $handle))
            (type $handler (func (param "request" (own $request)) (param "response-out" (own $out))))
            (func $lifted (type $handler) (canon lift (core func $handle)))
            (instance $exported (export "handle" (func $lifted)))
            (export "wasi:http/incoming-handler@0.2.0" (instance $exported)))"#
    );
    wat::parse_str(text).expect("the text is a component")
}

fn what_a_guest_does_wrong_is_told_by_the_call_and_costs_no_other(program: &Program) {
    let open = "wasi:keyvalue/store@0.2.0-draft2 open";
    let exists = "wasi:keyvalue/store@0.2.0-draft2 [method]bucket.exists";
    let deeds = [
        ("(call $open (i32.const 70000) (i32.const 10) (i32.const 0))", open, "not all in memory"),
        ("(call $open (i32.const 0) (i32.const -1) (i32.const 0))", open, "not all in memory"),
        ("(call $open (i32.const 100) (i32.const 2) (i32.const 0))", open, "not UTF-8"),
        ("(call $open (i32.const 0) (i32.const 0) (i32.const 3))", open, "not aligned"),
        ("(call $open (i32.const 0) (i32.const 0) (i32.const 65532))", open, "not all in memory"),
        ("(call $exists (i32.const 99) (i32.const 0) (i32.const 0) (i32.const 8))", exists, "handle 99"),
        ("(call $exists (local.get $request) (i32.const 0) (i32.const 0) (i32.const 8))", exists, "is on no bucket"),
        ("(call $drop (local.get $request)) (call $drop (local.get $request))", "incoming-request", "handle"),
        // A good one, beside those: it only does not answer.
        ("(call $open (i32.const 0) (i32.const 0) (i32.const 0))", "without an answer", ""),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut args = vec!["--service".to_owned(), format!("guest={}@127.0.0.1:0", crate::artifacts::GUEST.display())];
    for (number, (deed, ..)) in deeds.iter().enumerate() {
        let path: PathBuf = folder.path().join(format!("{number}.wasm"));
        std::fs::write(&path, component(deed)).unwrap();
        args.extend(["--service".to_owned(), format!("bad{number}={}@127.0.0.1:0", path.display())]);
    }
    let mut host = Host::serve(&program.jit, &args);
    let good = host.listening("guest");
    for number in 0..deeds.len() {
        let addr = host.listening(&format!("bad{number}"));
        for _ in 0..2 {
            let answer = get(addr, "/");
            assert!(is_problem(&answer, 500), "{answer:?}");
        }
        assert_eq!(text(good, "/hello"), "hello");
    }
    let log = host.stop();
    for (number, (_, call, what)) in deeds.iter().enumerate() {
        let told: Vec<&str> = log.lines().filter(|line| line.starts_with(&format!("[bad{number}] "))).collect();
        assert_eq!(told.len(), 2, "bad{number}: {log}");
        if program.names_calls {
            assert!(told[0].contains(call) && told[0].contains(what), "bad{number}: {}", told[0]);
        }
    }
}
