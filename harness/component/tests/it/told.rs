//! What keeps a component from running, in words.

use std::collections::BTreeSet;

use tare_component::{Effect, Granted, INTERFACES, Problem, Runtime, Versions, inspect, problems};

use crate::inspected::{exporting, wasm};

const HANDLER: &str = "wasi:http/incoming-handler@0.2.6";

fn told(bytes: &[u8], runtime: Runtime, granted: &Granted) -> Vec<Problem> {
    problems(&inspect(bytes).unwrap(), runtime, granted)
}

fn words(bytes: &[u8], runtime: Runtime) -> Vec<String> {
    told(bytes, runtime, &Granted::default()).iter().map(ToString::to_string).collect()
}

fn importing(names: &[&str]) -> Vec<u8> {
    let imports: Vec<_> = names.iter().map(|name| format!("(import \"{name}\" (instance))")).collect();
    exporting(HANDLER, &imports.concat())
}

#[test]
fn whatever_a_host_provides_is_not_refused() {
    let names: Vec<String> = INTERFACES
        .iter()
        .map(|interface| match interface.versions {
            Versions::Release => format!("{}@0.2.12", interface.name),
            Versions::Draft(draft) => format!("{}@{draft}", interface.name),
        })
        .collect();
    let bytes = importing(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let failing = |runtime, granted: &Granted| {
        let told = told(&bytes, runtime, granted);
        assert!(told.iter().all(|problem| problem.effect == Effect::CallsFail), "{told:?}");
        let packages = told.into_iter().map(|problem| problem.subject.split('/').next().unwrap().to_owned());
        packages.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let granted = Granted { servers: true, folders: true, ..Granted::default() };
    let others = ["wasi:filesystem", "wasi:http", "wasi:sockets"];
    assert_eq!(failing(Runtime::Wasmtime, &granted), ["wasi:sockets"]);
    assert_eq!(failing(Runtime::Wasmtime, &Granted::default()), others);
    assert_eq!(failing(Runtime::Wasmer, &granted), others, "it has no such grants");
}

#[test]
fn all_that_is_not_provided_is_told_with_what_helps() {
    let bytes = importing(&["wasi:keyvalue/store@0.2.0-draft3", "demo:calc/pricing", "wasi:io/poll@0.3.0"]);
    let expected = [
        "wasi:keyvalue/store@0.2.0-draft3: no host provides it; build it against 0.2.0-draft or \
         0.2.0-draft2",
        "demo:calc/pricing: no host provides it; build the component without it, or compose it with a \
         component that provides it",
        "wasi:io/poll@0.3.0: no host provides it; build it against a release of 0.2",
    ];
    assert_eq!(words(&bytes, Runtime::Wasmer), expected);
}

#[test]
fn a_component_of_wasi_0_3_is_named_as_that_and_nothing_else() {
    let bytes = exporting("wasi:http/handler@0.3.0", r#"(import "wasi:http/types@0.3.0" (instance))"#);
    let [problem] = &words(&bytes, Runtime::Wasmtime)[..] else { panic!("one problem") };
    assert!(problem.starts_with("wasi:http/handler@0.3.0: it is a component of WASI 0.3"), "{problem}");
}

#[test]
fn what_answers_no_requests_or_is_a_draft_is_refused() {
    let none = words(&wasm("(component)"), Runtime::Wasmtime);
    assert_eq!(none, ["the exports: none of them answers HTTP requests; export `wasi:http/incoming-handler@0.2`"]);
    let draft = words(&exporting("wasi:http/incoming-handler@0.2.0-rc-2023-12-05", ""), Runtime::Wasmtime);
    assert!(draft[0].contains("releases of WASI 0.2"), "{draft:?}");
    assert!(words(&exporting("tare:direct/handler@0.1.0", ""), Runtime::Wasmer).is_empty());
}

#[test]
fn shapes_matter_to_wasmer_alone() {
    let bytes =
        exporting(HANDLER, r#"(component (core module)) (core module (import "" "t" (table 1 funcref)) (func))"#);
    assert!(words(&bytes, Runtime::Wasmtime).is_empty());
    let refused = words(&bytes, Runtime::Wasmer);
    assert!(refused[0].contains("composed of several components"), "{refused:?}");
    assert!(refused[1].contains("dynamic linking"), "{refused:?}");
}

#[test]
fn limits_are_compared_with_what_a_component_begins_with() {
    let bytes = exporting(HANDLER, "(core module (memory 2) (table 100001 funcref) (func (param v128)))");
    let roomy = Granted { table_elements: None, ..Granted::default() };
    assert!(told(&bytes, Runtime::Wasmer, &roomy).is_empty());
    let tight = Granted { memory_bytes: Some(131_071), simd: false, ..Granted::default() };
    let subjects: Vec<_> = told(&bytes, Runtime::Wasmer, &tight).into_iter().map(|problem| problem.subject).collect();
    assert_eq!(subjects, ["a memory", "a table", "its code"]);
}
