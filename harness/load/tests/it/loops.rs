//! The closed and the open loop: what is sent when, and from when a latency counts.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use tare_load::{Arrivals, Ended, Mode, Settings, run};

use crate::server::{OK, Server, reply};
use crate::{load, mix, settings};

/// A server that notes the paths it is asked for and takes a while for each answer.
fn noting(pause: Duration) -> (Server, Arc<Mutex<Vec<String>>>) {
    let paths = Arc::new(Mutex::new(Vec::new()));
    let server = Server::start({
        let paths = Arc::clone(&paths);
        move |asked, stream| {
            paths.lock().expect("unpoisoned").push(asked.path.clone());
            thread::sleep(pause);
            reply(stream, OK)
        }
    });
    (server, paths)
}

/// All servers of a test are asked for these, in this order as far as one connection is concerned.
fn sequence(count: usize) -> Vec<String> {
    (0..count as u64).map(|k| format!("/{:016x}", mix().draw(1, k).unique)).collect()
}

#[test]
fn the_closed_loop_sends_the_same_sequence_at_every_speed() {
    for pause in [Duration::ZERO, Duration::from_millis(5)] {
        let (server, paths) = noting(pause);
        load(&Settings { connections: 1, ..settings(server.addr) });
        let paths = paths.lock().expect("unpoisoned");
        assert!(paths.len() > 5);
        assert_eq!(*paths, sequence(paths.len()));
    }
}

#[test]
fn the_open_loop_sends_what_the_rate_says_whatever_the_speed() {
    for pause in [Duration::ZERO, Duration::from_millis(5)] {
        let (server, paths) = noting(pause);
        let settings = Settings {
            connections: 4,
            mode: Mode::Open { rate_rps: 1000.0, arrivals: Arrivals::Even },
            ..settings(server.addr)
        };
        let outcome = load(&settings);
        assert_eq!((outcome.right, outcome.errors.total()), (200, 0), "{:?}", outcome.errors);
        assert_eq!((outcome.latency.len(), outcome.service_time.len()), (200, 200));
        let paths: HashSet<_> = paths.lock().expect("unpoisoned").iter().cloned().collect();
        assert_eq!(paths, sequence(200).into_iter().collect());
    }
}

#[test]
fn work_that_is_put_off_until_after_the_window_counts_with_its_time() {
    let server = Server::start(|asked, stream| {
        if asked.number == 8 {
            thread::sleep(Duration::from_millis(600));
        }
        reply(stream, OK)
    });
    let outcome = load(&Settings { connections: 4, ..settings(server.addr) });
    assert_eq!(outcome.errors.total(), 0, "{:?}", outcome.errors);
    assert!(outcome.elapsed >= Duration::from_millis(600), "{:?}", outcome.elapsed);
    let rate = outcome.right as f64 / outcome.elapsed.as_secs_f64();
    assert!((outcome.throughput_rps() - rate).abs() < 1e-6);
}

#[test]
fn generator_threads_share_one_sequence() {
    let (server, paths) = noting(Duration::ZERO);
    let own = sched_getaffinity(Pid::from_raw(0)).expect("an affinity");
    let cpus: Vec<_> = (0..CpuSet::count()).filter(|&cpu| own.is_set(cpu).unwrap_or(false)).collect();
    let cpus = vec![cpus[0], cpus[cpus.len() - 1]];
    let mode = Mode::Open { rate_rps: 1000.0, arrivals: Arrivals::Even };
    let outcome = load(&Settings { connections: 4, cpus, mode, ..settings(server.addr) });
    assert_eq!((outcome.right, outcome.errors.total()), (200, 0), "{:?}", outcome.errors);
    let paths: HashSet<_> = paths.lock().expect("unpoisoned").iter().cloned().collect();
    assert_eq!(paths, sequence(200).into_iter().collect());
}

/// A server that answers one request at a time and takes 300 ms for the hundredth.
fn stalling() -> Server {
    let turn = Mutex::new(());
    Server::start(move |asked, stream| {
        let _turn = turn.lock().expect("unpoisoned");
        if asked.number == 100 {
            thread::sleep(Duration::from_millis(300));
        }
        reply(stream, OK)
    })
}

#[test]
fn a_stall_shows_in_the_open_loop_and_hides_in_the_closed_one() {
    let slow = Duration::from_millis(100).as_nanos();
    let slow = u64::try_from(slow).expect("small");
    let affected = |mode| {
        let server = stalling();
        let settings = Settings { connections: 4, duration: Duration::from_secs(1), mode, ..settings(server.addr) };
        let outcome = load(&settings);
        assert_eq!(outcome.errors.total(), 0, "{:?}", outcome.errors);
        (outcome.latency.count_between(slow, u64::MAX), outcome.service_time.count_between(slow, u64::MAX))
    };
    // All that is due in the first 200 ms of the stall waits for at least 100 ms: 1000/s x 0.2 s, less the hundred
    // or so that a loaded machine might have been late with before it.
    let (latencies, service_times) = affected(Mode::Open { rate_rps: 1000.0, arrivals: Arrivals::Even });
    assert!(latencies > 150, "{latencies}");
    // The service time alone hides nearly all of them, in the open loop as in the closed: one for each connection.
    assert!(service_times * 5 < latencies, "{service_times} of {latencies}");
    let (closed, _) = affected(Mode::Closed);
    assert!(closed > 0 && closed * 5 < latencies, "{closed} of {latencies}");
}

#[test]
fn lateness_is_told_only_for_requests_that_had_a_connection() {
    // One connection, and answers that take longer than a slot: most requests wait for the subject.
    let (server, _) = noting(Duration::from_millis(5));
    let mode = Mode::Open { rate_rps: 1000.0, arrivals: Arrivals::Even };
    let outcome = load(&Settings { connections: 1, mode, ..settings(server.addr) });
    assert_eq!(outcome.right, 200);
    assert!(outcome.lateness.len() < 100, "{}", outcome.lateness.len());
    // Answers came at 200 per second at most, the last of them long after the window.
    assert!(outcome.throughput_rps() <= 200.0, "{}", outcome.throughput_rps());
    // Of the 200 that were due in the window, most had to wait until after it: the subject did not keep up.
    assert!(outcome.rate_in_window_rps() < 250.0, "{}", outcome.rate_in_window_rps());
}

#[test]
fn a_load_can_be_cancelled() {
    let cancel = Arc::new(AtomicBool::new(false));
    let server = Server::start({
        let cancel = Arc::clone(&cancel);
        move |asked, stream| {
            if asked.number >= 10 {
                cancel.store(true, Ordering::Relaxed);
            }
            reply(stream, OK)
        }
    });
    let settings = Settings { duration: Duration::from_mins(10), ..settings(server.addr) };
    let outcome = run(&settings, &mix(), &cancel).expect("the load begins");
    assert_eq!(outcome.ended, Ended::Cancelled);
    // Eleven were asked for, and of these at most one per connection was still unanswered.
    assert!(outcome.right >= 9 && outcome.errors.total() == 0);
    assert!(outcome.elapsed < settings.duration);
}
