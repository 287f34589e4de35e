//! How a container begins and ends.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::scene::{eventually, scene};

fn send(process: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(process).unwrap()), signal).unwrap();
}

/// Whether it does; one that has ended may be known for as long as its new parent likes.
fn runs(process: u32) -> bool {
    let status = fs_err::read_to_string(format!("/proc/{process}/status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

#[test]
fn the_phases_are_announced_before_the_program_runs() {
    let Some(scene) = scene("phases") else { return };
    let output = scene.run(&[], &["pid"]);
    let written = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = written.lines().collect();
    let times: Vec<u64> = ["spawn", "create"]
        .iter()
        .zip(&lines)
        .map(|(phase, line)| {
            let begin = format!("{{\"event\":\"phase\",\"phase\":\"{phase}\",\"at_ns\":");
            line.strip_prefix(&begin).unwrap().strip_suffix('}').unwrap().parse().unwrap()
        })
        .collect();
    assert!(times[0] < times[1]);
    assert_eq!(lines[2..], ["pid 1"]);
}

#[test]
fn the_exit_code_is_passed_on_and_nothing_is_left() {
    let Some(scene) = scene("exit") else { return };
    let output = scene.run(&["--memory", "16777216", "--cpus", "0", "--pids", "8"], &["exit", "42"]);
    assert_eq!(output.status.code(), Some(42), "{output:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(scene.traces(), Vec::<&Path>::new());
}

#[test]
fn a_wish_to_end_reaches_the_program() {
    let Some(scene) = scene("listen") else { return };
    let mut child = scene.start_waiting(&["listen"]);
    assert_ne!(scene.traces(), Vec::<&Path>::new());
    send(child.id(), Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(7));
    assert_eq!(scene.traces(), Vec::<&Path>::new());
}

#[test]
fn a_program_without_a_handler_is_killed_at_once() {
    let Some(scene) = scene("deaf") else { return };
    let mut child = scene.start_waiting(&[]);
    let begun = Instant::now();
    send(child.id(), Signal::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(137));
    assert!(begun.elapsed() < Duration::from_millis(800));
    assert_eq!(scene.traces(), Vec::<&Path>::new());
}

#[test]
fn a_program_that_stays_is_killed() {
    let Some(scene) = scene("stays") else { return };
    let mut child = scene.start_waiting(&["ignore"]);
    let begun = Instant::now();
    send(child.id(), Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(137));
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(scene.traces(), Vec::<&Path>::new());
}

#[test]
fn the_program_ends_with_a_killed_runtime_and_the_rest_is_named() {
    let Some(scene) = scene("killed") else { return };
    let mut child = scene.start_waiting(&["ignore"]);
    let process = scene.process();
    send(child.id(), Signal::SIGKILL);
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    eventually("the program outlives its runtime", || !runs(process));
    let again = scene.run(&[], &[]);
    assert_eq!(again.status.code(), Some(125));
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(said.contains(scene.state().join(&scene.id).to_str().unwrap()), "{said}");
    scene.clean();
    assert_eq!(scene.traces(), Vec::<&Path>::new());
}

/// Killed at any time of its start, whatever was begun ends.
#[test]
fn a_runtime_killed_while_it_starts_leaves_no_process() {
    let Some(scene) = scene("early") else { return };
    for delay in (0..40).step_by(2) {
        let mut child = scene.command(&[], &["wait"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        send(child.id(), Signal::SIGKILL);
        child.wait().unwrap();
        let cgroups = || scene.traces().into_iter().filter(|trace| !trace.starts_with(scene.dir.path()));
        let processes = || cgroups().filter_map(|cgroup| fs_err::read_to_string(cgroup.join("cgroup.procs")).ok());
        eventually("a process is left", || processes().all(|processes| processes.is_empty()));
        eventually("a trace is left", || {
            scene.clean();
            scene.traces().is_empty()
        });
    }
}
