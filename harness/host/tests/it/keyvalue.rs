//! `wasi:keyvalue` as components see it.

use std::net::SocketAddr;

use crate::artifacts::{self, Program};
use crate::process::{Host, get, post, text};

on_every_host! {
    values_outlive_the_instances_that_write_them,
    counters_are_decimal_text_and_start_at_zero,
    a_swap_fails_when_somebody_else_wrote,
    concurrent_instances_lose_no_update,
    keys_are_listed_in_pages,
    the_suite_of_the_services_store_passes,
}

/// Asks in order, and compares the answers.
fn expect(addr: SocketAddr, answers: &[(&str, &str)]) {
    for (path, expected) in answers {
        assert_eq!(text(addr, &format!("/keyvalue/{path}")), *expected, "{path}");
    }
}

fn values_outlive_the_instances_that_write_them(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    for draft in ["", "draft/"] {
        for (path, expected) in [
            ("get?key", "Ok(None)"),
            ("exists?key", "Ok(false)"),
            ("set?key&one", "Ok(())"),
            ("set?key&two", "Ok(())"),
            ("get?key", "Ok(Some(\"two\"))"),
            ("exists?key", "Ok(true)"),
            ("delete?key", "Ok(())"),
            ("delete?key", "Ok(())"),
            ("get?key", "Ok(None)"),
        ] {
            expect(addr, &[(&format!("{draft}{path}"), expected)]);
        }
    }
    expect(addr, &[("elsewhere", "Error::NoSuchStore")]);
    host.stop();
}

fn counters_are_decimal_text_and_start_at_zero(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    expect(
        addr,
        &[
            ("increment?n&5", "Ok(5)"),
            ("increment?n&-7", "Ok(-2)"),
            ("get?n", "Ok(Some(\"-2\"))"),
            ("draft/increment?n&1", "Err(Error::Other(\"the value is not a number\"))"),
            ("set?n&9223372036854775807", "Ok(())"),
            ("increment?n&1", "Err(Error::Other(\"the counter would overflow\"))"),
            ("get?n", "Ok(Some(\"9223372036854775807\"))"),
            ("draft/increment?n&1", "Ok(9223372036854775808)"),
            ("set?n&ten", "Ok(())"),
            ("increment?n&1", "Err(Error::Other(\"the value is not a number\"))"),
            ("draft/increment?m&3", "Ok(3)"),
        ],
    );
    host.stop();
}

fn a_swap_fails_when_somebody_else_wrote(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    expect(
        addr,
        &[
            ("append?log&a", "appended"),
            ("append?log&b", "appended"),
            ("get?log", "Ok(Some(\"ab\"))"),
            ("lose?log", "Ok(Some(\"ab\")) Ok(Some(\"theirs\")) true"),
            ("get?log", "Ok(Some(\"ours\"))"),
        ],
    );
    host.stop();
}

fn concurrent_instances_lose_no_update(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    text(addr, "/keyvalue/increment?n&1");
                    text(addr, "/keyvalue/append?log&x");
                }
            });
        }
    });
    expect(addr, &[("increment?n&0", "Ok(400)")]);
    expect(addr, &[("get?log", &format!("Ok(Some({:?}))", "x".repeat(400)))]);
    host.stop();
}

fn keys_are_listed_in_pages(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    expect(addr, &[("keys", "2500 in 3, sorted true"), ("draft/keys", "2500 in 3")]);
    host.stop();
}

fn the_suite_of_the_services_store_passes(program: &Program) {
    let suite = artifacts::build(&["-p", "store-suite", "--bin", "store-suite", "--target", "wasm32-wasip2"]);
    let (host, addr) = Host::with(&program.aot, &artifacts::compile(program, &suite), &[]);
    let outcome: serde_json::Value = serde_json::from_str(&post(addr, "/suite", b"", false).text).unwrap();
    assert!(outcome["passed"].as_u64().unwrap() > 0, "{outcome}");
    assert_eq!(outcome["failed"], serde_json::json!([]));

    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..25).for_each(|_| assert_eq!(post(addr, "/contend/key", b"", false).status, 200)));
        }
    });
    let sums: serde_json::Value = serde_json::from_str(&get(addr, "/contend/key").text).unwrap();
    assert_eq!(sums, serde_json::json!({ "counter": 200, "record": 200 }));
    host.stop();
}
