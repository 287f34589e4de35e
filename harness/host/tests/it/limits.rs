//! A component that misbehaves costs its own request and no other.

use std::sync::Barrier;

use crate::artifacts::Program;
use crate::process::{Answer, Host, get, is_problem, post, text, try_get};

on_every_host! {
    a_trap_costs_its_request,
    an_endless_loop_is_ended_at_the_deadline,
    waiting_is_ended_at_the_deadline_too,
    loops_on_every_thread_do_not_stop_the_others,
    memory_is_limited_for_each_instance,
    a_component_that_needs_more_memory_than_allowed_from_the_start_is_refused,
    bodies_are_limited,
    a_component_without_an_answer_is_answered_for,
    more_requests_than_may_run_wait_for_their_turn,
    an_answer_in_pieces_arrives_whole,
    an_answer_that_breaks_off_is_seen_to,
}

/// Asks for a path that must fail, while other requests go on; returns the failure and the log.
fn failure(program: &Program, settings: &[&str], path: &str) -> (Answer, String) {
    let (host, addr) = Host::guest(program, settings);
    let failed = std::thread::scope(|scope| {
        let other = scope.spawn(|| (0..50).all(|_| text(addr, "/hello") == "hello"));
        let failed = get(addr, path);
        assert!(other.join().unwrap());
        failed
    });
    assert_eq!(text(addr, "/hello"), "hello");
    (failed, host.stop())
}

fn a_trap_costs_its_request(program: &Program) {
    let (answer, log) = failure(program, &[], "/trap");
    assert!(is_problem(&answer, 500), "{answer:?}");
    assert!(log.contains("as asked"), "the panic's own message: {log}");
    assert!(log.contains("[guest] the component failed: "), "{log}");
    assert!(log.contains("unreachable"), "the kind of trap: {log}");
}

fn an_endless_loop_is_ended_at_the_deadline(program: &Program) {
    for variant in program.variants {
        let (answer, log) = failure(program, &[&["--deadline", "200ms"], *variant].concat(), "/loop");
        assert!(is_problem(&answer, 504), "{answer:?}");
        assert!(log.contains("--deadline"), "{log}");
    }
}

fn waiting_is_ended_at_the_deadline_too(program: &Program) {
    let (answer, log) = failure(program, &["--deadline", "200ms"], "/sleep?60000");
    assert!(is_problem(&answer, 504), "{answer:?}");
    assert!(log.contains("--deadline"), "{log}");
}

fn loops_on_every_thread_do_not_stop_the_others(program: &Program) {
    let (host, addr) = Host::guest(program, &["--deadline", "5s"]);
    let loops = 4 * std::thread::available_parallelism().unwrap().get();
    let begun = Barrier::new(loops + 1);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
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
        looping.into_iter().map(|request| request.join().unwrap()).collect()
    });
    let log = host.stop();
    assert!(statuses.iter().all(|status| *status == 504), "{statuses:?}: {log}");
}

fn memory_is_limited_for_each_instance(program: &Program) {
    for variant in program.variants {
        let limit = [&["--memory-limit", "33554432"], *variant].concat();
        let (host, addr) = Host::guest(program, &limit);
        assert_eq!(text(addr, "/memory?20000000"), "20000000");
        host.stop();
        let (answer, log) = failure(program, &limit, "/memory?40000000");
        assert!(is_problem(&answer, 500), "{answer:?}");
        assert!(log.contains("--memory-limit"), "{log}");
    }
}

fn a_component_that_needs_more_memory_than_allowed_from_the_start_is_refused(program: &Program) {
    let service = format!("guest={}@127.0.0.1:0", program.guest.display());
    let ended = Host::serve(&program.aot, &["--memory-limit", "65536", "--service", &service]).wait();
    assert_eq!(ended.code, Some(2));
    assert!(ended.log.contains("exceeds the limit of 0x10000 bytes"), "{}", ended.log);
}

fn bodies_are_limited(program: &Program) {
    let (host, addr) = Host::guest(program, &["--max-body", "100000"]);
    let body = vec![7; 100_001];
    for chunked in [false, true] {
        assert_eq!(post(addr, "/echo", &body[..100_000], chunked).text, "100000");
        let refused = post(addr, "/echo", &body, chunked);
        assert!(is_problem(&refused, 413), "chunked {chunked}: {refused:?}");
    }
    host.stop();
}

fn a_component_without_an_answer_is_answered_for(program: &Program) {
    let (answer, log) = failure(program, &[], "/silent");
    assert!(is_problem(&answer, 500), "{answer:?}");
    assert!(log.contains("without an answer"), "{log}");
}

fn more_requests_than_may_run_wait_for_their_turn(program: &Program) {
    let (host, addr) = Host::guest(program, &["--max-instances", "1"]);
    std::thread::scope(|scope| {
        let requests: Vec<_> = (0..8).map(|_| scope.spawn(|| text(addr, "/sleep?20"))).collect();
        assert!(requests.into_iter().all(|request| request.join().unwrap() == "slept"));
    });
    host.stop();

    let (host, addr) = Host::guest(program, &["--max-instances", "1", "--deadline", "300ms"]);
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

fn an_answer_in_pieces_arrives_whole(program: &Program) {
    let (host, addr) = Host::guest(program, &["--reuse", "10"]);
    assert_eq!(text(addr, "/stream?5"), "0\n1\n2\n3\n4\n");
    assert_eq!(text(addr, "/count"), "1", "the instance was kept");
    assert_eq!(text(addr, "/count"), "2");
    host.stop();
}

fn an_answer_that_breaks_off_is_seen_to(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    assert!(try_get(addr, "/stream-trap?3").is_err());
    assert_eq!(text(addr, "/hello"), "hello");
    let log = host.stop();
    assert!(log.contains("[guest] the component failed: "), "{log}");
}
