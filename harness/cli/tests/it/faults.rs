//! What goes wrong costs what it must and no more.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tare_model::RunState;

use crate::program::{Run, Runs, alone, has_engine, root, started_by, stderr, tare};

#[test]
fn without_an_engine_the_rest_is_compared_and_the_containers_cells_say_why() {
    let _alone = alone();
    let runs = Runs::new();
    let args = ["compare", "--suite", "quick", "--rounds", "1", "--service", "orders", "--only", "startup"];
    let output = tare(&args)
        .args(["--platform", "native,docker/scratch"])
        .args(runs.args())
        .env("DOCKER_HOST", "unix:///nonexistent.sock")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let run = runs.newest();
    let record = run.record();
    assert_eq!(record.state, RunState::Complete);
    assert_eq!(record.failed.len(), 1);
    assert_eq!(record.failed[0].subject.to_string(), "orders/docker/scratch");
    assert!(record.failed[0].reason.contains("/nonexistent.sock"), "{}", record.failed[0].reason);
    assert!(run.samples().iter().any(|sample| sample.subject.platform == "native"));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("failed") && table.contains("/nonexistent.sock"), "{table}");
}

#[test]
fn ctrl_c_keeps_what_was_measured_and_leaves_nothing_behind() {
    let _alone = alone();
    let platforms = if has_engine() { "native,wasmtime/aot,oci,docker/scratch" } else { "native,wasmtime/aot,oci" };
    let args = ["compare", "--suite", "full", "--service", "orders", "--platform", platforms];
    let runs = Runs::new();
    let mut child = tare(&args).args(runs.args()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(5);
    // Its first rows are the sizes; those of a round come later.
    while !runs.raw_samples().contains("startup_cold") {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "it measures nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let status = ended(&mut child);
    let mut output = std::process::Output { status, stdout: Vec::new(), stderr: Vec::new() };
    child.stderr.take().unwrap().read_to_end(&mut output.stderr).unwrap();
    assert_eq!(status.code(), Some(130), "{}", stderr(&output));
    let run = runs.newest();
    assert_eq!(run.files(), ["claims.csv", "latencies.hlog", "run.json", "samples.csv", "summary.csv"]);
    assert_eq!(run.record().state, RunState::Interrupted);
    assert!(!run.samples().is_empty());
    assert_eq!(started_by(&child), [""; 0]);
    assert_eq!(containers_of(&run), "");
    assert_eq!(named_after(&child), Vec::<PathBuf>::new());
}

#[test]
fn ctrl_c_ends_a_start_that_hangs() {
    let _alone = alone();
    let runs = Runs::new();
    let args = ["compare", "--suite", "quick", "--program", "sleep 600", "--platform", "native/process"];
    let mut child = tare(&args).args(runs.args()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while started_by(&child).is_empty() {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "it starts nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    let asked = Instant::now();
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    assert_eq!(ended(&mut child).code(), Some(130));
    // The start itself may take a minute.
    assert!(asked.elapsed() < Duration::from_secs(20), "it waited for the start");
    assert_eq!(started_by(&child), [""; 0]);
    let record = runs.newest().record();
    assert_eq!((record.state, record.failed.len()), (RunState::Interrupted, 0));
}

/// As Ctrl-Z and `fg` do, again and again.
#[test]
fn what_was_measured_while_the_program_stood_still_is_no_figure() {
    let _alone = alone();
    let runs = Runs::new();
    let args = ["compare", "--suite", "quick", "--rounds", "1", "--only", "load", "--service", "orders"];
    let mut child = tare(&args).args(["--platform", "native/process"]).args(runs.args()).spawn().unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    let deadline = Instant::now() + Duration::from_mins(5);
    // What is calibrated before the rounds is no figure.
    while !runs.raw_record().contains("open_rate_rps\": {\n") {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "it measures nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        kill(pid, Signal::SIGSTOP).unwrap();
        std::thread::sleep(Duration::from_millis(400));
        kill(pid, Signal::SIGCONT).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    };
    // Not one figure is left.
    assert_eq!(status.code(), Some(2));
    let run = runs.newest();
    let reasons: Vec<String> = run.record().failed.into_iter().map(|failed| failed.reason).collect();
    assert!(reasons.iter().any(|reason| reason.contains("this program was stopped for 0.")), "{reasons:?}");
    assert!(run.samples().iter().all(|sample| sample.metric.name != "throughput"));
}

/// The cgroups and folders of a harness's containers without an engine.
fn named_after(harness: &std::process::Child) -> Vec<PathBuf> {
    let cgroups = Path::new("/sys/fs/cgroup");
    let hierarchies = std::fs::read_dir(cgroups).into_iter().flatten().flatten().map(|entry| entry.path());
    let dirs = hierarchies.chain([cgroups.into(), root().join("target/tare/oci-state")]);
    let of_harness = format!("-{}-", harness.id());
    let entries = dirs.filter_map(|dir| std::fs::read_dir(dir).ok()).flatten().flatten();
    let named = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("tare-") && name.contains(&of_harness)
    });
    named.map(|entry| entry.path()).collect()
}

fn ended(child: &mut std::process::Child) -> ExitStatus {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The containers that a run still has, as the engine's own client lists them; nothing where there is no such client.
fn containers_of(run: &Run) -> String {
    let label = format!("label=tare.run={}", run.0.file_name().unwrap().to_str().unwrap());
    let listed = Command::new("docker").args(["ps", "-aq", "--filter", &label]).output();
    listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}
