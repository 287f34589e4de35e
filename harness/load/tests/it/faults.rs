//! Subjects that hang, die or were never there. Windows are ten minutes long where a load must end by itself.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tare_load::{Arrivals, Ended, LoadError, Mode, Outcome, Settings, run};

use crate::server::{OK, Server, Then, reply};
use crate::{load, mix, settings};

const LONG: Duration = Duration::from_mins(10);

fn gone(outcome: &Outcome) -> &str {
    assert!(outcome.elapsed < LONG);
    match &outcome.ended {
        Ended::SubjectGone(what) => what,
        other => panic!("the load should have been given up, but: {other:?}"),
    }
}

#[test]
fn a_subject_that_dies_ends_both_loops() {
    for mode in [Mode::Closed, Mode::Open { rate_rps: 1000.0, arrivals: Arrivals::Even }] {
        let (tell, told) = mpsc::channel();
        let mut server = Server::start(move |asked, stream| {
            if asked.number == 50 {
                tell.send(()).expect("the test waits");
            }
            reply(stream, OK)
        });
        let settings = Settings { duration: LONG, mode, ..settings(server.addr) };
        let loader = thread::spawn(move || load(&settings));
        told.recv().expect("fifty requests");
        server.kill();
        let outcome = loader.join().expect("the load ends");
        let what = gone(&outcome);
        assert!(what.contains("all connections have been failing for a second"), "{what}");
        assert!(what.contains("cannot connect: Connection refused"), "{what}");
        assert!(outcome.right >= 49, "{}", outcome.right);
        assert_eq!(outcome.errors.total(), outcome.errors.connection.count, "{:?}", outcome.errors);
        // In the closed loop both connections may have been closed right after an answer, with nothing asked on them. In the
        // open loop requests fall due until the subject is given up: a second's worth.
        let least = if mode == Mode::Closed { 0 } else { 900 };
        assert!(outcome.errors.connection.count >= least, "{:?}", outcome.errors);
        // Each connection tries after 5, 10, 20, … 200 ms.
        assert!(outcome.reconnects <= 2 * 12, "{}", outcome.reconnects);
    }
}

#[test]
fn a_subject_that_accepts_and_closes_is_not_hammered() {
    let server = Server::start(|_, _| Then::Close);
    let outcome = load(&Settings { duration: LONG, ..settings(server.addr) });
    assert!(gone(&outcome).contains("all connections have been failing"));
    assert_eq!(outcome.right, 0);
    assert!(server.accepted() <= 2 + 2 * 12, "{}", server.accepted());
    let first = outcome.errors.connection.first.expect("a description");
    assert!(first.starts_with("probe: "), "{first}");
}

#[test]
fn a_subject_that_hangs_ends_the_load_after_a_timeout() {
    for mode in [Mode::Closed, Mode::Open { rate_rps: 500.0, arrivals: Arrivals::Even }] {
        let released = Arc::new(AtomicBool::new(false));
        let server = Server::start({
            let released = Arc::clone(&released);
            move |asked, stream| {
                while asked.number >= 20 && !released.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(5));
                }
                reply(stream, OK)
            }
        });
        let timeout = Duration::from_millis(300);
        let outcome = load(&Settings { duration: LONG, timeout, mode, ..settings(server.addr) });
        released.store(true, Ordering::SeqCst);
        assert_eq!(gone(&outcome), "the subject is gone: it answered nothing at all for 300ms");
        assert_eq!(outcome.right, 20);
        assert_eq!(outcome.errors.total(), outcome.errors.timeout.count);
        // The two on the wire; in the open loop also those that were due meanwhile.
        let least = if mode == Mode::Closed { 2 } else { 100 };
        assert!(outcome.errors.timeout.count >= least, "{:?}", outcome.errors);
    }
}

#[test]
fn a_request_that_hangs_costs_itself_only() {
    let released = Arc::new(AtomicBool::new(false));
    let server = Server::start({
        let released = Arc::clone(&released);
        move |asked, stream| {
            while asked.number == 10 && !released.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            reply(stream, OK)
        }
    });
    // A second connection keeps answering; the window outlasts the timeout.
    let timeout = Duration::from_millis(500);
    let outcome = load(&Settings { duration: Duration::from_secs(1), timeout, ..settings(server.addr) });
    released.store(true, Ordering::SeqCst);
    assert_eq!(outcome.ended, Ended::Complete);
    assert_eq!((outcome.errors.total(), outcome.errors.timeout.count), (1, 1), "{:?}", outcome.errors);
    assert_eq!(outcome.errors.timeout.first.as_deref(), Some("probe: no whole answer within 500ms"));
    assert_eq!(outcome.reconnects, 1);
    assert!(outcome.right > 20, "{}", outcome.right);
}

#[test]
fn an_overloaded_subject_bounds_the_queue() {
    // 20 ms for each answer over two connections: a tenth of what is due can be served.
    let server = Server::start(|_, stream| {
        thread::sleep(Duration::from_millis(20));
        reply(stream, OK)
    });
    let timeout = Duration::from_millis(400);
    let mode = Mode::Open { rate_rps: 1000.0, arrivals: Arrivals::Even };
    let outcome = load(&Settings { duration: Duration::from_secs(1), timeout, mode, ..settings(server.addr) });
    assert_eq!((outcome.sent(), outcome.ended), (1000, Ended::Complete));
    assert!(outcome.right > 0);
    let first = outcome.errors.timeout.first.expect("some waited too long");
    assert_eq!(first, "probe: not sent: no connection was free within 400ms");
}

#[test]
fn nobody_there_is_an_error_that_names_the_address() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let addr = listener.local_addr().expect("an address");
    drop(listener);
    let error = run(&settings(addr), &mix(), &AtomicBool::new(false)).expect_err("nobody listens");
    assert!(matches!(error, LoadError::Connect { .. }));
    assert_eq!(error.to_string(), format!("cannot connect to {addr}: is the subject listening there?"));
}

#[test]
fn a_cpu_that_is_not_there_is_an_error() {
    let server = Server::saying(OK);
    let settings = Settings { duration: LONG, cpus: vec![1023], ..settings(server.addr) };
    let error = run(&settings, &mix(), &AtomicBool::new(false)).expect_err("no such CPU");
    assert!(matches!(error, LoadError::Pin { .. }), "{error}");
}

#[test]
fn settings_without_sense_are_refused() {
    let server = Server::saying(OK);
    let good = settings(server.addr);
    for bad in [
        Settings { connections: 0, ..good.clone() },
        Settings { duration: Duration::ZERO, ..good.clone() },
        Settings { timeout: Duration::ZERO, ..good.clone() },
        Settings { mode: Mode::Open { rate_rps: 0.0, arrivals: Arrivals::Even }, ..good.clone() },
        Settings { mode: Mode::Open { rate_rps: f64::NAN, arrivals: Arrivals::Even }, ..good.clone() },
        Settings { cpus: vec![0, 1, 2], ..good.clone() },
    ] {
        let refused = run(&bad, &mix(), &AtomicBool::new(false));
        assert!(matches!(refused, Err(LoadError::Settings(_))), "{bad:?}");
    }
    assert_eq!(server.accepted(), 0);
}
