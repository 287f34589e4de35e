//! What needs no measuring.

use insta::assert_snapshot;

use crate::program::{stderr, tare};

#[test]
fn an_unknown_name_ends_at_once_with_the_known_ones() {
    let output = tare(&["compare", "--platform", "podman"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_snapshot!(stderr(&output), @r"
    error: there is no platform or variant `podman`; there are: native/process, native/again, wasmtime/aot, wasmtime/jit, wasmtime/reuse, wasmtime/stock, wasmtime/on-demand, wasmtime/no-cow, wasmtime/jit-unoptimised, wasmtime/direct, wasmer/aot, wasmer/cranelift, wasmer/singlepass, wasmer/reuse, wasmer/direct, wasmer/cgi, docker/scratch, docker/scratch-glibc, docker/debian, docker/bridge, docker/wasm, docker/image, docker/image-bridge, oci/scratch-glibc, running/url
    ");
    let output = tare(&["compare", "--service", "billing"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_snapshot!(stderr(&output), @"error: there is no service `billing`; there are: auth, orders, payments; one of your own is named by the path of its service.toml");
}

#[test]
fn a_run_that_is_not_there_is_told_with_what_to_do() {
    let output = tare(&["report", "no-such-run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("error: there is no run `no-such-run` in "), "{}", stderr(&output));
}

#[test]
fn outside_a_checkout_the_remedy_is_named() {
    let output = tare(&["doctor"]).current_dir("/").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_snapshot!(stderr(&output), @"error: / is not inside a checkout of this project: change into one, or unpack the archive that `cargo xtask dist` makes and run the program in it");
}

#[test]
fn the_list_comes_from_the_registries_as_text_and_as_json() {
    let text = String::from_utf8(tare(&["list"]).output().unwrap().stdout).unwrap();
    let json = tare(&["list", "--json"]).output().unwrap().stdout;
    let sections: Vec<serde_json::Value> = serde_json::from_slice(&json).unwrap();
    let entries = sections.iter().flat_map(|section| section["entries"].as_array().unwrap());
    let names: Vec<&str> = entries.map(|entry| entry["name"].as_str().unwrap()).collect();
    for name in ["auth", "orders", "payments", "wasmtime/aot", "docker/scratch", "startup_cold", "quick"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
        assert!(text.contains(&format!("  {name} ")), "{text}");
    }
}

#[test]
fn the_doctor_tells_of_a_missing_engine_and_a_comparison_stays_possible() {
    let output = tare(&["doctor", "--json"]).env("DOCKER_HOST", "unix:///nonexistent.sock").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let findings: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let engine = findings.iter().find(|finding| finding["what"] == "container engine").unwrap();
    assert_eq!(engine["level"], "warning");
    assert!(engine["remedy"].as_str().unwrap().contains("/nonexistent.sock"), "{engine}");
}
