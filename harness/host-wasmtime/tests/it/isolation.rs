//! What instances see of the machine, of each other and of earlier requests.

use crate::artifacts::{AOT, GUEST_AHEAD};
use crate::process::{Host, text};

#[test]
fn each_request_has_a_fresh_instance() {
    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &[]);
    for _ in 0..5 {
        assert_eq!(text(addr, "/count"), "1");
    }
    host.stop();
}

#[test]
fn a_reused_instance_remembers_until_it_is_replaced() {
    for allocator in ["pooling", "on-demand"] {
        let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &["--reuse", "3", "--allocator", allocator]);
        let counts: Vec<String> = (0..7).map(|_| text(addr, "/count")).collect();
        assert_eq!(counts, ["1", "2", "3", "1", "2", "3", "1"]);
        host.stop();
    }
}

#[test]
fn an_instance_that_trapped_is_not_reused() {
    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &["--reuse", "100"]);
    assert_eq!(text(addr, "/count"), "1");
    assert_eq!(crate::process::get(addr, "/trap").status, 500);
    assert_eq!(text(addr, "/count"), "1");
    host.stop();
}

#[test]
fn only_the_environment_granted_is_seen() {
    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &["--env", "A=1", "--env", "B=x=y"]);
    assert_eq!(text(addr, "/env"), "A=1,B=x=y");
    host.stop();
    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &[]);
    assert_eq!(text(addr, "/env"), "");
    host.stop();
}

#[test]
fn there_is_no_file_and_no_network() {
    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &[]);
    assert_eq!(text(addr, "/files"), "0 0 false false");
    assert_eq!(text(addr, "/outgoing"), "ErrorCode::HttpRequestDenied");
    host.stop();
}

#[test]
fn what_a_component_prints_is_logged_with_its_name() {
    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &[]);
    assert_eq!(text(addr, "/log"), "logged");
    let log = host.stop();
    assert!(log.contains("[guest] to standard output\n[guest] to standard error\n"), "{log}");
}

#[test]
fn services_of_one_process_share_no_state() {
    let service = |name: &str| format!("{name}={}@127.0.0.1:0", GUEST_AHEAD.display());
    let mut host = Host::serve(&AOT, &["--service", &service("one"), "--service", &service("two")]);
    let (one, two) = (host.listening("one"), host.listening("two"));
    assert_eq!(text(one, "/keyvalue/set?key&mine"), "Ok(())");
    assert_eq!(text(one, "/keyvalue/get?key"), "Ok(Some(\"mine\"))");
    assert_eq!(text(two, "/keyvalue/get?key"), "Ok(None)");
    host.stop();
}
