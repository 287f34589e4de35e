//! What is read of a file: made ones, and bytes that are anything.

use proptest::prelude::*;
use tare_component::{Granted, Handler, NotAComponent, Runtime, Shape, inspect, problems};

pub(crate) fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text is WebAssembly")
}

/// A component that exports an empty instance under this name, with this before it.
pub(crate) fn exporting(name: &str, before: &str) -> Vec<u8> {
    wasm(&format!("(component {before} (instance $i) (export \"{name}\" (instance $i)))"))
}

/// Imports and modules as toolchains make them: a table of trampolines that a module without code fills.
const USUAL: &str = r#"
    (import "wasi:io/poll@0.2.4" (instance (export "p" (type (sub resource)))))
    (import "demo:calc/pricing" (instance))
    (core module (memory 3) (table 7 funcref))
    (core module (import "" "t" (table 5 funcref)) (import "" "f" (func)) (memory 2) (elem (i32.const 0) func 0))"#;

#[test]
fn imports_exports_and_the_largest_memory_and_table_are_read() {
    let read = inspect(&exporting("wasi:http/incoming-handler@0.2.6", USUAL)).unwrap();
    let imports: Vec<_> = read.imports.iter().map(|import| (import.name.as_str(), import.version.as_deref())).collect();
    assert_eq!(imports, [("wasi:io/poll", Some("0.2.4")), ("demo:calc/pricing", None)]);
    assert_eq!(read.exports, ["wasi:http/incoming-handler@0.2.6"]);
    assert_eq!(read.handler, Handler::IncomingHandler { version: "0.2.6".to_owned() });
    assert_eq!((read.memory_bytes, read.table_elements), (3 * 64 * 1024, 7));
    assert!(!read.uses_simd);
    assert!(read.shapes.is_empty(), "{:?}", read.shapes);
}

#[test]
fn handlers_are_told_apart() {
    let handler = |name: &str| inspect(&exporting(name, "")).unwrap().handler;
    assert_eq!(handler("wasi:http/handler@0.3.0"), Handler::Handler { version: "0.3.0".to_owned() });
    assert_eq!(handler("tare:direct/handler@0.1.0"), Handler::Direct { version: "0.1.0".to_owned() });
    assert_eq!(handler("wasi:cli/run@0.2.0"), Handler::None);
    assert_eq!(inspect(&wasm("(component)")).unwrap().handler, Handler::None);
}

#[test]
fn simd_is_found_in_types_and_in_code_of_modules_at_any_depth() {
    let simd = |module: &str| inspect(&wasm(&format!("(component (component {module}))"))).unwrap().uses_simd;
    assert!(!simd("(core module (func (drop (i64.const 0))))"));
    assert!(simd("(core module (func (param v128)))"));
    assert!(simd("(core module (func (drop (i8x16.splat (i32.const 0)))))"));
    assert!(simd("(core module (global v128 (v128.const i64x2 0 0)))"));
}

#[test]
fn shapes_that_not_every_host_supports_are_found() {
    let shapes = |text: &str| inspect(&wasm(text)).unwrap().shapes.into_iter().collect::<Vec<_>>();
    assert_eq!(shapes("(component (component))"), []);
    assert_eq!(shapes("(component (component (core module)))"), [Shape::Composed]);
    let shared = r#"(component (core module (import "" "t" (table 1 funcref)) (func)))"#;
    assert_eq!(shapes(shared), [Shape::SharedTable]);
    assert_eq!(shapes("(component (core module (memory 1 1 shared)))"), [Shape::UnusualMemory]);
    assert_eq!(shapes("(component (core module (memory i64 1)))"), [Shape::UnusualMemory]);
}

#[test]
fn what_is_no_component_is_named() {
    let refusal = |bytes: &[u8]| inspect(bytes).unwrap_err();
    assert!(matches!(refusal(b""), NotAComponent::NotWasm));
    assert!(matches!(refusal(b"#!/bin/sh"), NotAComponent::NotWasm));
    assert!(matches!(refusal(b"\x7fELF\x02"), NotAComponent::Native));
    let module = refusal(&wasm("(module)")).to_string();
    assert_eq!(module, "a core module, not a component; `wasm-tools component new` makes one");
    assert!(matches!(refusal(b"\0asm\x0d\0\x01\0\x01"), NotAComponent::Invalid(_)));
}

fn all_of(bytes: &[u8]) {
    if let Ok(read) = inspect(bytes) {
        for runtime in [Runtime::Wasmtime, Runtime::Wasmer] {
            problems(&read, runtime, &Granted::default());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        all_of(&bytes);
        let mut begun = b"\0asm\x0d\0\x01\0".to_vec();
        begun.extend(bytes);
        all_of(&begun);
    }

    #[test]
    fn no_change_of_a_component_makes_it_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = exporting("wasi:http/incoming-handler@0.2.6", USUAL);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        all_of(&bytes);
        all_of(&bytes[..cut.index(bytes.len())]);
    }
}
