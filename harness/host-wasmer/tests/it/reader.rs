//! Components taken apart: real ones, made ones, and bytes that are none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tare_host::settings::{Common, defaults};
use tare_host_wasmer::component::Component;
use tare_host_wasmer::engine::headless;
use tare_host_wasmer::instance::{Instance, Linked};
use tare_host_wasmer::plan::{Callee, Export, Import, Initializer, Plan};
use tare_host_wasmer::reader::read;
use tare_host_wasmer::watchdog::Watchdog;
use tokio::runtime::Runtime;
use wasmer::sys::{EngineBuilder, Singlepass};
use wasmer::{Engine, Module};

use crate::fake::Fake;

/// A component as toolchains make it: a module that needs memory for an import, trampolines for it, and what fills them.
fn component() -> Vec<u8> {
    parsed(&text())
}

fn parsed(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text is a component")
}

/// The same of a main module with `_initialize`, which the module that fills the table starts with.
fn reactor(initialize: &str) -> Vec<u8> {
    let mut text = text();
    let changes = [
        (
            r#"(func (export "handle")"#,
            format!(r#"(func (export "_initialize") {initialize}) (func (export "handle")"#),
        ),
        ("(elem (i32.const 0)", r#"(import "" "init" (func $init)) (start $init) (elem (i32.const 0)"#.to_owned()),
        ("(core instance $args ", r#"(core instance $args (export "init" (func $it "_initialize")) "#.to_owned()),
    ];
    for (old, new) in changes {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text = text.replace(old, &new);
    }
    parsed(&text)
}

fn text() -> String {
    r#"(component
            (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
            (alias export $poll "pollable" (type $pollable))
            (import "wasi:random/random@0.2.0" (instance $random
                (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
                (export "get-random-u64" (func (result u64)))))
            (core module $main
                (import "random" "get-random-bytes" (func (param i64 i32)))
                (import "random" "get-random-u64" (func (result i64)))
                (import "poll" "[resource-drop]pollable" (func (param i32)))
                (memory (export "memory") 2)
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
                (func (export "handle") (param i32 i32)))
            (core module $trampolines
                (type $t (func (param i64 i32)))
                (table (export "slots") 1 1 funcref)
                (func (export "anything") (type $t) local.get 0 local.get 1 i32.const 0 call_indirect (type $t)))
            (core module $fixup
                (import "" "f" (func (param i64 i32)))
                (import "" "table" (table 1 1 funcref))
                (elem (i32.const 0) func 0))
            (core instance $shim (instantiate $trampolines))
            (alias core export $shim "anything" (core func $indirect))
            (core func $number (canon lower (func $random "get-random-u64")))
            (core func $drop (canon resource.drop $pollable))
            (core instance $randoms (export "get-random-bytes" (func $indirect)) (export "get-random-u64" (func $number)))
            (core instance $polls (export "[resource-drop]pollable" (func $drop)))
            (core instance $it (instantiate $main (with "random" (instance $randoms)) (with "poll" (instance $polls))))
            (alias core export $it "memory" (core memory $memory))
            (alias core export $it "cabi_realloc" (core func $realloc))
            (core func $bytes (canon lower (func $random "get-random-bytes") (memory $memory) (realloc $realloc)))
            (alias core export $shim "slots" (core table $slots))
            (core instance $args (export "f" (func $bytes)) (export "table" (table $slots)))
            (core instance (instantiate $fixup (with "" (instance $args))))
            (alias core export $it "handle" (core func $handle))
            (type $handler (func (param "request" u32) (param "out" u32)))
            (func $lifted (type $handler) (canon lift (core func $handle)))
            (instance $exported (export "handle" (func $lifted)))
            (export "wasi:http/incoming-handler@0.2.0" (instance $exported)))"#
        .to_owned()
}

fn plan(bytes: &[u8]) -> Plan {
    read(bytes).unwrap().plan
}

#[test]
fn trampolines_and_what_fills_them_are_worked_out_and_not_instantiated() {
    let bytes = component();
    let apart = read(&bytes).unwrap();
    assert_eq!((apart.modules.len(), apart.plan.steps.len()), (1, 1));
    let [step] = &apart.plan.steps[..] else { panic!("one step") };
    let hosts: Vec<_> = step
        .imports
        .iter()
        .map(|import| match import {
            Import::Host(host) => {
                (host.callee, host.name.as_str(), host.memory, host.realloc, host.signature.to_string())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        (Callee::Function, "get-random-bytes", Some(0), Some(0), "(i64, i32) -> ()".to_owned()),
        (Callee::Function, "get-random-u64", None, None, "() -> i64".to_owned()),
        (Callee::Drop, "pollable", None, None, "(i32) -> ()".to_owned()),
    ];
    assert_eq!(hosts, expected);
    assert_eq!(apart.plan.memories[0].name, "memory");
    assert_eq!(apart.plan.reallocs[0].name, "cabi_realloc");
    assert_eq!(apart.plan.handler.function.name, "handle");
    assert_eq!(apart.plan.memory_bytes, 2 * 64 * 1024);
    assert!(!apart.plan.grows_tables);
}

#[test]
fn what_the_module_that_fills_the_table_starts_with_is_called_in_its_place() {
    let initializers = |bytes: &[u8]| read(bytes).unwrap().plan.initializers;
    assert_eq!(initializers(&component()), []);
    let function = Export { step: 0, name: "_initialize".to_owned() };
    assert_eq!(initializers(&reactor("")), [Initializer { after: 1, function }]);
    // It may use the host, by the trampolines too: it asks for 8 bytes, and looks for their number in memory.
    let asks = "i64.const 8 i32.const 0 call 0 i32.const 4 i32.load i32.const 8 i32.ne if unreachable end";
    started(&reactor(asks)).unwrap();
    let ended = started(&reactor("unreachable")).unwrap_err();
    assert!(ended.contains("unreachable"), "{ended}");
    // What does not end by itself is ended at the deadline, and told so wherever it was: the runtime itself tells of the trap
    // that a memory access may give.
    for endless in ["loop br 0 end", "loop i32.const 0 i32.const 1 i32.store br 0 end"] {
        let ended = started(&reactor(endless)).unwrap_err();
        assert!(ended.contains("--deadline"), "{ended}");
    }
}

/// Makes an instance of a component.
fn started(bytes: &[u8]) -> Result<(), String> {
    let apart = read(bytes).unwrap();
    let engine = headless();
    let compiler: Engine = EngineBuilder::new(Singlepass::new()).engine().into();
    let module = |bytes: &&[u8]| {
        let module = Module::new(&compiler, bytes).unwrap().serialize().unwrap();
        #[expect(unsafe_code, reason = "what was serialized a moment ago")]
        // SAFETY: it is what this process has compiled.
        unsafe { Module::deserialize(&engine, module) }.unwrap()
    };
    let component = Component { modules: apart.modules.iter().map(module).collect(), plan: apart.plan };
    let limits = Common { memory_limit: 1024 * 1024, ..defaults() };
    let linked = Linked::new(component, &limits).unwrap();
    let runtime = Runtime::new().unwrap();
    let context = Arc::clone(&Fake::new(Vec::new()).state.context);
    let (watchdog, deadline) = (Watchdog::start().unwrap(), Instant::now() + Duration::from_millis(200));
    let made = Instance::new(&engine, &linked, &context, runtime.handle(), &limits, deadline, &watchdog);
    made.map(drop).map_err(|failure| failure.to_string())
}

#[test]
fn a_plan_survives_being_kept_beside_the_code() {
    let plan = plan(&component());
    let text = serde_json::to_vec(&plan).unwrap();
    assert_eq!(serde_json::from_slice::<Plan>(&text).unwrap(), plan);
}

/// Why a component is refused.
fn refusal(text: &str) -> String {
    format!("{:#}", read(&wat::parse_str(text).unwrap()).unwrap_err())
}

#[test]
fn what_is_not_supported_is_refused_by_its_name() {
    assert!(refusal("(component)").contains("does not export `wasi:http/incoming-handler`"));
    assert!(refusal("(module)").contains("no component"));
    let imported = r#"(component (import "a" (func $f)) (core func $g (canon lower (func $f)))
        (core module $m (import "" "f" (func))) (core instance $n (export "f" (func $g)))
        (core instance (instantiate $m (with "" (instance $n)))))"#;
    assert!(refusal(imported).contains("an import of a single function, `a`"), "{}", refusal(imported));
    let table = r#"(component
        (core module $a (table (export "t") 3 3 funcref) (func (export "f")))
        (core module $b (import "a" "t" (table 3 3 funcref)) (func $g) (elem (i32.const 0) func $g))
        (core instance $a (instantiate $a)) (core instance (instantiate $b (with "a" (instance $a)))))"#;
    assert!(refusal(table).contains("a table that several modules share"), "{}", refusal(table));
    let composed = r#"(component
        (component $within
            (core module $m (func (export "handle") (param i32 i32)))
            (core instance $i (instantiate $m))
            (func $f (param "request" u32) (param "out" u32) (canon lift (core func $i "handle")))
            (instance $e (export "handle" (func $f)))
            (export "handler" (instance $e)))
        (instance $i (instantiate $within))
        (alias export $i "handler" (instance $handler))
        (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))"#;
    assert!(refusal(composed).contains("composed of several"), "{}", refusal(composed));
    let shared = r"(component (core module $m (memory 1 1 shared)) (core instance (instantiate $m)))";
    assert!(refusal(shared).contains("shared"), "{}", refusal(shared));
    let float = r#"(component
        (import "wasi:a/b@0.2.0" (instance $i (export "f" (func (param "x" f32)))))
        (core func $f (canon lower (func $i "f")))
        (core module $m (import "" "f" (func (param f32)))) (core instance $n (export "f" (func $f)))
        (core instance (instantiate $m (with "" (instance $n)))))"#;
    assert!(refusal(float).contains("f32"), "{}", refusal(float));
}

#[test]
fn trampolines_that_call_themselves_are_refused() {
    let text = r#"(component
        (core module $t (type $f (func)) (table (export "t") 1 1 funcref)
            (func (export "0") (type $f) i32.const 0 call_indirect (type $f)))
        (core module $x (import "" "0" (func)) (import "" "t" (table 1 1 funcref)) (elem (i32.const 0) func 0))
        (core module $m (import "" "0" (func)))
        (core instance $t (instantiate $t))
        (alias core export $t "0" (core func $f)) (alias core export $t "t" (core table $s))
        (core instance $a (export "0" (func $f)) (export "t" (table $s)))
        (core instance (instantiate $m (with "" (instance $a))))
        (core instance (instantiate $x (with "" (instance $a)))))"#;
    assert!(refusal(text).contains("in a circle"), "{}", refusal(text));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
        let mut begun = b"\0asm\x0d\0\x01\0".to_vec();
        begun.extend(bytes);
        let _ = read(&begun);
    }

    #[test]
    fn no_change_of_a_component_makes_the_reader_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = component();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let _ = read(&bytes);
        let _ = read(&bytes[..cut.index(bytes.len())]);
    }
}
