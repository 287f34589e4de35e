//! Components that are not served: what is said of them.

use crate::artifacts::Program;
use crate::process::{Host, get, is_problem};

on_every_host! {
    what_is_not_provided_is_named_all_at_once,
    a_component_without_the_handler_is_told_by_what_it_is,
    a_component_of_wasi_0_3_is_told_so,
    tables_are_limited_by_their_option,
    a_table_that_must_not_grow_is_told_by_its_option,
}

/// A component whose main module begins with this; `imports` are of the component, `lowered` are core functions of them.
fn component(main: &str, imports: &str, lowered: &str) -> String {
    format!(
        r#"(component
            (import "wasi:http/types@0.2.0" (instance $types
                (export "incoming-request" (type (sub resource)))
                (export "response-outparam" (type (sub resource)))))
            (alias export $types "incoming-request" (type $request))
            (alias export $types "response-outparam" (type $out))
            {imports}
            (core module $main {main} (func (export "handle") (param i32 i32)))
            (core instance $imports {lowered})
            (core instance $main (instantiate $main (with "" (instance $imports))))
            (type $handler (func (param "request" (own $request)) (param "response-out" (own $out))))
            (func $lifted (type $handler) (canon lift (core func $main "handle")))
            (instance $exported (export "handle" (func $lifted)))
            (export "wasi:http/incoming-handler@0.2.0" (instance $exported)))"#
    )
}

/// A component that exports one function under a name.
fn exporting(name: &str) -> String {
    format!(
        r#"(component
            (core module $main (func (export "run") (result i32) i32.const 0))
            (core instance $main (instantiate $main))
            (func $run (result (result)) (canon lift (core func $main "run")))
            (instance $exported (export "run" (func $run)))
            (export "{name}" (instance $exported)))"#
    )
}

/// Serves a component that must be refused; returns the log.
fn refused(program: &Program, text: &str, settings: &[&str]) -> String {
    let (host, _folder) = served(program, text, settings);
    let ended = host.wait();
    assert_eq!(ended.code, Some(2), "{}", ended.log);
    ended.log
}

fn served(program: &Program, text: &str, settings: &[&str]) -> (Host, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it.wasm");
    std::fs::write(&path, wat::parse_str(text).expect("the text is a component")).unwrap();
    let service = format!("it={}@127.0.0.1:0", path.display());
    (Host::serve(&program.jit, &[&["--service", &service], settings].concat()), folder)
}

fn what_is_not_provided_is_named_all_at_once(program: &Program) {
    let imports = r#"
        (import "demo:calc/pricing" (instance $pricing (export "price" (func (result u32)))))
        (import "wasi:nn/tensor@0.2.0" (instance $tensor (export "shape" (func (result u32)))))
        (import "wasi:random/random@0.2.99" (instance $random (export "get-random-u64" (func (result u64)))))
        (core func $price (canon lower (func $pricing "price")))
        (core func $shape (canon lower (func $tensor "shape")))
        (core func $number (canon lower (func $random "get-random-u64")))"#;
    let lowered = r#"(export "price" (func $price)) (export "shape" (func $shape)) (export "number" (func $number))"#;
    let main = r#"(import "" "price" (func (result i32))) (import "" "shape" (func (result i32)))
        (import "" "number" (func (result i64)))"#;
    let log = refused(program, &component(main, imports, lowered), &[]);
    assert!(log.contains("demo:calc/pricing") && log.contains("wac plug"), "{log}");
    assert!(log.contains("wasi:nn/tensor@0.2.0"), "{log}");
    assert!(!log.contains("wasi:random"), "that is provided, whatever the release: {log}");
}

fn a_component_without_the_handler_is_told_by_what_it_is(program: &Program) {
    let log = refused(program, &exporting("wasi:cli/run@0.2.0"), &[]);
    assert!(log.contains("wasi:http/incoming-handler"), "{log}");
}

fn a_component_of_wasi_0_3_is_told_so(program: &Program) {
    let log = refused(program, &exporting("wasi:http/handler@0.3.0"), &[]);
    assert!(log.contains("WASI 0.3") && log.contains("wasm32-wasip2"), "{log}");
}

fn tables_are_limited_by_their_option(program: &Program) {
    let large = component("(table 30000 funcref)", "", "");
    let (mut host, _folder) = served(program, &large, &[]);
    host.listening("it");
    host.stop();
    for variant in program.variants {
        // Where instances are made without a pool, it is the instance that is refused.
        if !variant.contains(&"on-demand") {
            let log = refused(program, &large, &[&["--table-elements", "20000"], *variant].concat());
            assert!(log.contains("30000") && log.contains("--table-elements"), "{log}");
            assert!(!log.contains("compile it again"), "{log}");
        }
    }
}

fn a_table_that_must_not_grow_is_told_by_its_option(program: &Program) {
    let growing = |more: u32| {
        let main = format!(
            "(table $table 1 funcref)
            (func $grow
                (if (i32.eq (table.grow $table (ref.null func) (i32.const {more})) (i32.const -1)) (then unreachable)))
            (start $grow)"
        );
        component(&main, "", "")
    };
    for (more, told) in [(1000, "without an answer"), (200_000, "--table-elements")] {
        let (mut host, _folder) = served(program, &growing(more), &[]);
        assert!(is_problem(&get(host.listening("it"), "/"), 500));
        let log = host.stop();
        assert!(log.contains(told), "{more}: {log}");
        assert_eq!(log.contains("100000"), more > 100_000, "{log}");
    }
}
