//! What a component may take of the host besides its instances: its store, its log, its handles.

use crate::artifacts::Program;
use crate::process::{Host, get, is_problem, text};

on_every_host! {
    a_store_that_is_full_is_told_to_its_component,
    what_keys_cost_counts_too,
    copies_of_values_count_as_values,
    a_log_has_an_end,
    handles_have_an_end,
}

const MIB: u64 = 1024 * 1024;

/// A host whose services may keep 16 MiB, and what it has of the machine's memory after it has answered something.
fn with_store(program: &Program) -> (Host, std::net::SocketAddr, u64) {
    let (host, addr) = Host::guest(program, &["--store-limit", "16777216", "--deadline", "50s"]);
    assert_eq!(text(addr, "/memory?10000000"), "10000000");
    let memory = host.memory();
    (host, addr, memory)
}

const FULL: &str = r#"Error::Other("the store is full: it may take 16777216 bytes (--store-limit)")"#;

fn a_store_that_is_full_is_told_to_its_component(program: &Program) {
    let (host, addr, before) = with_store(program);
    for _ in 0..2 {
        assert_eq!(text(addr, "/keyvalue/fill?1048576&300"), format!("Some((15, {FULL}))"));
    }
    assert!(host.memory() < before + 64 * MIB, "{before} {}", host.memory());
    assert_eq!(text(addr, "/keyvalue/set?3&less"), "Ok(())", "what is smaller is taken");
    assert_eq!(text(addr, "/keyvalue/delete?4"), "Ok(())");
    assert_eq!(text(addr, "/keyvalue/append?new&x"), "appended");
    assert_eq!(text(addr, "/keyvalue/draft/get?3"), "Ok(Some(\"less\"))");
    let log = host.stop();
    assert_eq!(log.lines().count(), 1, "it is told once: {log}");
    assert!(log.starts_with("[guest] the store is full") && log.contains("--store-limit"), "{log}");
}

fn what_keys_cost_counts_too(program: &Program) {
    let (host, addr, before) = with_store(program);
    let filled = text(addr, "/keyvalue/fill?0&1000000");
    assert!(filled.ends_with(&format!(", {FULL}))")), "{filled}");
    assert!(host.memory() < before + 64 * MIB, "{before} {}", host.memory());
    host.stop();
}

fn copies_of_values_count_as_values(program: &Program) {
    let (host, addr, before) = with_store(program);
    assert_eq!(text(addr, "/keyvalue/fill?1048576&1"), "None");
    for _ in 0..2 {
        assert_eq!(text(addr, "/keyvalue/hold?0&300"), format!("14 Some({FULL})"), "they end with their instance");
    }
    assert!(host.memory() < before + 64 * MIB, "{before} {}", host.memory());
    host.stop();
}

fn a_log_has_an_end(program: &Program) {
    let (host, addr) = Host::guest(program, &["--log-limit", "20000"]);
    assert_eq!(text(addr, "/log"), "logged");
    for _ in 0..2 {
        assert_eq!(text(addr, "/flood?10000"), "flooded");
        assert!(is_problem(&get(addr, "/trap"), 500));
    }
    let log = host.stop();
    assert!(log.contains("[guest] to standard output\n"), "{log}");
    assert!((19_000..20_500).contains(&log.len()), "{}", log.len());
    let told = log.lines().last().unwrap();
    assert!(told.starts_with("[guest] nothing more") && told.contains("--log-limit"), "{told}");
    assert_eq!(log.matches("nothing more").count(), 1, "{log}");
}

fn handles_have_an_end(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    assert_eq!(text(addr, "/handles?4000"), "4000");
    assert!(is_problem(&get(addr, "/handles?20000"), 500));
    assert_eq!(text(addr, "/handles?4000"), "4000");
    let log = host.stop();
    assert!(log.contains("[guest] the component failed") && log.contains("handle"), "{log}");
}
