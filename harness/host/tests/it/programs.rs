//! Programs of WASI 0.1 by CGI, on Wasmer's own runner: the control behind the same front.

use std::path::{Path, PathBuf};

use tare_protocol::Event;

use crate::artifacts::{WASIX, WASMER, build, compile};
use crate::process::{Host, get, is_problem, post, text};

/// A program that does something, compiled ahead.
fn program(folder: &Path, name: &str, deed: &str) -> PathBuf {
    let text = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\10\00\00\00\1f\00\00\00")
            (data (i32.const 16) "Status: 203 Fine\0aX-A: yes\0a\0abody..")
            (func $answer (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
            (func $tell (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8))))
            (func (export "_start") {deed}))"#
    );
    let path = folder.join(format!("{name}.wasm"));
    std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    compile(&WASMER, &path)
}

#[test]
fn the_services_store_passes_its_suite_as_a_program() {
    let suite = build(&["-p", "store-suite", "--bins", "--target", "wasm32-wasip1"]);
    let (host, addr) = Host::with(&WASIX, &compile(&WASMER, &suite), &[]);
    for _ in 0..2 {
        assert_eq!(post(addr, "/suite", b"", false).text, r#"{"passed":23,"failed":[]}"#);
    }
    let contenders: Vec<_> =
        (0..20).map(|_| std::thread::spawn(move || post(addr, "/contend/key", b"", false))).collect();
    assert!(contenders.into_iter().all(|contender| contender.join().unwrap().status == 200));
    assert_eq!(text(addr, "/contend/key"), r#"{"counter":20,"record":20}"#);
    assert_eq!(get(addr, "/nowhere").status, 404);
    assert!(is_problem(&post(addr, "/suite", &vec![b'x'; 1024 * 1024 + 1], true), 413));
    host.stop();
}

#[test]
fn what_a_program_writes_and_how_it_ends_is_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let deeds = [("good", "(call $tell) (call $answer)"), ("silent", ""), ("trap", "(call $answer) unreachable")];
    let mut args = Vec::new();
    for (name, deed) in deeds {
        let path = program(folder.path(), &format!("program-{name}"), deed);
        args.extend(["--service".to_owned(), format!("{name}={}@127.0.0.1:0", path.display())]);
    }
    let mut host = Host::serve(&WASIX, &args);
    let [good, silent, trap] = deeds.map(|(name, _)| host.listening(name));
    for _ in 0..2 {
        let answer = get(good, "/");
        assert_eq!((answer.status, answer.text.as_str()), (203, "body"));
        assert!(is_problem(&get(silent, "/"), 500));
        assert!(is_problem(&get(trap, "/"), 500));
    }
    let log = host.stop();
    assert!(log.contains("[good] Status: 203 Fine\n[good] X-A: yes"), "{log}");
    assert!(log.contains("[silent] the component ended without an answer"), "{log}");
    assert!(log.contains("[trap]") && log.contains("unreachable"), "{log}");
}

#[test]
fn who_waits_too_long_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = program(folder.path(), "program-loop", "(loop $loop (br $loop))");
    let (host, addr) = Host::with(&WASIX, &path, &["--deadline", "300ms"]);
    assert!(is_problem(&get(addr, "/"), 504));
    // The first one still runs: this one has no turn.
    let second = get(addr, "/");
    assert!(is_problem(&second, 503) || is_problem(&second, 504), "{second:?}");
    drop(host);
}

#[test]
fn what_is_no_program_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let portable = folder.path().join("portable.wasm");
    std::fs::write(&portable, b"\0asm\x01\0\0\0").unwrap();
    let other = folder.path().join("other");
    std::fs::write(&other, b"nothing of the kind").unwrap();
    for (path, remedy) in [(&portable, "tare-host-wasmer-jit compile"), (&other, "wasm32-wasip1")] {
        let service = format!("it={}@127.0.0.1:0", path.display());
        let ended = Host::serve(&WASIX, &["--service", &service]).wait();
        assert_eq!(ended.code, Some(2));
        let failed = ended.events.iter().find_map(|event| match event {
            Event::Failed { error, .. } => Some(error.as_str()),
            _ => None,
        });
        let failed = failed.expect("it is announced");
        assert!(failed.contains(&path.display().to_string()) && failed.contains(remedy), "{failed}");
    }
}
