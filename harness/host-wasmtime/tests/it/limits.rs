//! A component that misbehaves costs its own request and no other.

use std::sync::Barrier;

use crate::artifacts::{AOT, GUEST_AHEAD};
use crate::process::{Answer, Host, get, is_problem, post, text, try_get};

/// Asks for a path that must fail, while other requests go on; gives the failure and the log.
fn failure(settings: &[&str], path: &str) -> (Answer, String) {
    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, settings);
    let failed = std::thread::scope(|scope| {
        let other = scope.spawn(|| (0..50).all(|_| text(addr, "/hello") == "hello"));
        let failed = get(addr, path);
        assert!(other.join().unwrap());
        failed
    });
    assert_eq!(text(addr, "/hello"), "hello");
    (failed, host.stop())
}

#[test]
fn a_trap_costs_its_request() {
    let (answer, log) = failure(&[], "/trap");
    assert!(is_problem(&answer, 500), "{answer:?}");
    assert!(log.contains("as asked"), "the panic's own message: {log}");
    assert!(log.contains("[guest] the component failed: "), "{log}");
    assert!(log.contains("unreachable"), "the kind of trap: {log}");
}

#[test]
fn an_endless_loop_is_ended_at_the_deadline() {
    for allocator in ["pooling", "on-demand"] {
        let (answer, log) = failure(&["--deadline", "200ms", "--allocator", allocator], "/loop");
        assert!(is_problem(&answer, 504), "{answer:?}");
        assert!(log.contains("--deadline"), "{log}");
    }
}

#[test]
fn waiting_is_ended_at_the_deadline_too() {
    let (answer, log) = failure(&["--deadline", "200ms"], "/sleep?60000");
    assert!(is_problem(&answer, 504), "{answer:?}");
    assert!(log.contains("--deadline"), "{log}");
}

#[test]
fn loops_on_every_thread_do_not_stop_the_others() {
    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &["--deadline", "5s"]);
    let loops = 4 * std::thread::available_parallelism().unwrap().get();
    let begun = Barrier::new(loops + 1);
    std::thread::scope(|scope| {
        let looping: Vec<_> = (0..loops)
            .map(|_| {
                scope.spawn(|| {
                    begun.wait();
                    get(addr, "/loop").status
                })
            })
            .collect();
        begun.wait();
        assert_eq!(text(addr, "/hello"), "hello");
        assert!(looping.into_iter().all(|request| request.join().unwrap() == 504));
    });
    host.stop();
}

#[test]
fn memory_is_limited_for_each_instance() {
    for allocator in ["pooling", "on-demand"] {
        let limit = ["--memory-limit", "33554432", "--allocator", allocator];
        let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &limit);
        assert_eq!(text(addr, "/memory?20000000"), "20000000");
        host.stop();
        let (answer, log) = failure(&limit, "/memory?40000000");
        assert!(is_problem(&answer, 500), "{answer:?}");
        assert!(log.contains("--memory-limit"), "{log}");
    }
}

#[test]
fn a_component_that_needs_more_memory_than_allowed_from_the_start_is_refused() {
    let service = format!("guest={}@127.0.0.1:0", GUEST_AHEAD.display());
    let ended = Host::serve(&AOT, &["--memory-limit", "65536", "--service", &service]).wait();
    assert_eq!(ended.code, Some(2));
    assert!(ended.log.contains("exceeds the limit of 0x10000 bytes"), "{}", ended.log);
}

#[test]
fn bodies_are_limited() {
    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &["--max-body", "100000"]);
    let body = vec![7; 100_001];
    for chunked in [false, true] {
        assert_eq!(post(addr, "/echo", &body[..100_000], chunked).text, "100000");
        let refused = post(addr, "/echo", &body, chunked);
        assert!(is_problem(&refused, 413), "chunked {chunked}: {refused:?}");
    }
    host.stop();
}

#[test]
fn a_component_without_an_answer_is_answered_for() {
    let (answer, log) = failure(&[], "/silent");
    assert!(is_problem(&answer, 500), "{answer:?}");
    assert!(log.contains("without an answer"), "{log}");
}

#[test]
fn more_requests_than_may_run_wait_for_their_turn() {
    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &["--max-instances", "1"]);
    std::thread::scope(|scope| {
        let requests: Vec<_> = (0..8).map(|_| scope.spawn(|| text(addr, "/sleep?20"))).collect();
        assert!(requests.into_iter().all(|request| request.join().unwrap() == "slept"));
    });
    host.stop();

    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &["--max-instances", "1", "--deadline", "300ms"]);
    let statuses = std::thread::scope(|scope| {
        let requests: Vec<_> = (0..3).map(|_| scope.spawn(|| get(addr, "/sleep?60000").status)).collect();
        requests.into_iter().map(|request| request.join().unwrap()).collect::<Vec<_>>()
    });
    // Those that waited are refused as 503, or as 504 where their turn came just before their own time was up.
    assert!(statuses.contains(&504), "the one that ran: {statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 503 | 504)), "those that waited: {statuses:?}");
    assert_eq!(text(addr, "/hello"), "hello");
    host.stop();
}

#[test]
fn an_answer_in_pieces_arrives_whole() {
    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &["--reuse", "10"]);
    assert_eq!(text(addr, "/stream?5"), "0\n1\n2\n3\n4\n");
    assert_eq!(text(addr, "/count"), "1", "the instance was kept");
    assert_eq!(text(addr, "/count"), "2");
    host.stop();
}

#[test]
fn an_answer_that_breaks_off_is_seen_to() {
    let (host, addr) = Host::guest(&AOT, &GUEST_AHEAD, &[]);
    assert!(try_get(addr, "/stream-trap?3").is_err());
    assert_eq!(text(addr, "/hello"), "hello");
    let log = host.stop();
    assert!(log.contains("[guest] the component failed: "), "{log}");
}
