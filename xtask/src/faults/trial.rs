//! A fault from its beginning to its verdict.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fs_err::{self as fs, OpenOptions};
use nix::sys::signal::Signal;

use super::engine::Engine;
use super::fault::{Fault, Folder, Given, Task};
use super::inject::{self, Ending};
use super::observe::{Tree, improper, leftovers, rows, run, tree};
use super::read;
use super::row::Row;
use super::scene::{Scene, Stage};

/// The most memory of the program, in bytes.
pub const MOST_MEMORY: u64 = 200 << 20;

/// The most that it writes to the disk in a short comparison, in bytes.
const MOST_DISK: u64 = 64 << 20;

/// How long after the wish to end the program has ended. A second is meant; the machine may be busy.
const OBEYED_WITHIN: Duration = Duration::from_secs(3);

/// The exit status of a program that had no time to put anything right.
const KILLED: i32 = 128 + Signal::SIGKILL as i32;

/// The file by which one process at a time measures on a machine.
const LOCK: &str = "/tmp/tare.lock";

/// Does it.
///
/// # Errors
/// An error if it cannot be done; a wrong verdict is none.
pub fn hold(stage: &Stage, fault: &'static Fault, seed: u64, engine: Option<&Engine>) -> Result<Row> {
    let scene = Scene::new(stage, fault.name, fault.given)?;
    let begun = Instant::now();
    let mut row = Row::new(fault);
    match fault.task {
        Task::Read(victim, damage) => read::all(&scene, fault, (victim, damage), seed, &mut row)?,
        Task::Compare(_) | Task::Report => whole(&scene, fault, engine, &mut row)?,
    }
    row.took = begun.elapsed();
    scene.remove()?;
    Ok(row)
}

/// The program with its fault, the next start, and the report from what was measured.
fn whole(scene: &Scene<'_>, fault: &'static Fault, engine: Option<&Engine>, row: &mut Row) -> Result<()> {
    let reports = scene.folder(Folder::Reports);
    let args = match fault.task {
        Task::Compare(compare) => scene.compare(&compare)?,
        _ => vec!["report".to_owned(), scene.sound_run()?],
    };
    let mut command = match fault.given {
        Given::FewFiles(files) => scene.limited(files, &args)?,
        _ => scene.tare(&args)?,
    };
    command.args(scene.folders(&reports));
    row.command(&command);
    let kept = differ(scene, fault.given, &mut command)?;
    let ending = inject::run(scene, command, fault.steps, engine)?;
    drop(kept);
    judge(scene, fault, &ending, row)?;
    scene.make_room(fault.given)?;
    start_again(scene, row)?;
    report(scene, &ending, row)?;
    row.orphans = leftovers(scene, ending.pid, engine)?;
    Ok(())
}

/// Makes what is different from the beginning on; returns what has to stay open for as long as the program runs.
fn differ(scene: &Scene<'_>, given: Given, command: &mut Command) -> Result<Option<OwnedFd>> {
    let socket = scene.root.join("engine.sock");
    if matches!(given, Given::NoEngine | Given::MuteEngine) {
        command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    }
    let full = || -> Result<Stdio> { Ok(OpenOptions::new().write(true).open("/dev/full")?.into_parts().0.into()) };
    match given {
        Given::FullOutput => {
            command.stdout(full()?);
        }
        Given::FullErrors => {
            command.stderr(full()?);
        }
        // Its other end is closed at once.
        Given::ClosedOutput => {
            command.stdout(std::io::pipe()?.1);
        }
        Given::MuteEngine => return Ok(Some(UnixListener::bind(socket)?.into())),
        Given::Busy => {
            let lock = OpenOptions::new().create(true).append(true).open(LOCK)?.into_parts().0;
            lock.lock()?;
            return Ok(Some(lock.into()));
        }
        Given::Usual | Given::Room(..) | Given::ReadOnly(_) | Given::NoEngine | Given::FewFiles(_) => {}
    }
    Ok(None)
}

/// Judges how the program ended.
fn judge(scene: &Scene<'_>, fault: &'static Fault, ending: &Ending, row: &mut Row) -> Result<()> {
    (row.code, row.obeyed, row.peak_bytes) = (Some(ending.code), ending.obeyed, ending.peak_bytes);
    let told = told(scene, row)?;
    if let Some(step) = ending.missed {
        row.wrong(format!("it ended before {:?} was done", step.deed));
    }
    if ending.overdue {
        row.wrong("it did not end by itself".into());
    } else if !fault.exits.contains(&ending.code) {
        row.wrong(format!("the exit status is {}, not {:?}", ending.code, fault.exits));
    }
    if let Some(obeyed) = ending.obeyed.filter(|obeyed| *obeyed > OBEYED_WITHIN) {
        row.wrong(format!("it ended {:.1} s after the wish", obeyed.as_secs_f64()));
    }
    for word in fault.says.iter().filter(|word| !told.contains(**word)) {
        row.wrong(format!("it does not say `{word}`"));
    }
    if ending.peak_bytes > MOST_MEMORY {
        row.wrong(format!("it took {} MiB of memory", ending.peak_bytes >> 20));
    }
    let samples = run(scene).and_then(|run| fs::read(run.join("samples.csv")).ok()).unwrap_or_default();
    if ending.code != KILLED && samples.last().is_some_and(|last| *last != b'\n') {
        row.wrong("samples.csv ends in the middle of a row".into());
    }
    let written: Tree = tree(&scene.root, &[scene.service()])?;
    let written: u64 = written.values().map(|(_, bytes)| bytes).sum();
    if written > MOST_DISK {
        row.wrong(format!("it wrote {} MiB to the disk", written >> 20));
    }
    Ok(())
}

/// All that the program has told: on the terminal, in the record and in the summary. What nobody should see in it is wrong.
fn told(scene: &Scene<'_>, row: &mut Row) -> Result<String> {
    let shown = row.keep(scene, "")?;
    for what in improper(&shown) {
        row.wrong(what);
    }
    let Some(run) = run(scene) else { return Ok(shown) };
    let record = fs::read(run.join("run.json")).unwrap_or_default();
    row.files.push(("run.json".into(), record.clone()));
    let name = run.file_name().context("a run has a name")?;
    let summary = fs::read(scene.folder(Folder::Reports).join(name).join("summary.md")).unwrap_or_default();
    for what in improper(&String::from_utf8_lossy(&summary)) {
        row.wrong(format!("summary.md: {what}"));
    }
    Ok(shown + &String::from_utf8_lossy(&record))
}

/// Starts the program again: it must work, and remove what was left.
fn start_again(scene: &Scene<'_>, row: &mut Row) -> Result<()> {
    let service = scene.checkout().join("services/good").display().to_string();
    let command = scene.tare(["build", "--service", &service, "--platform", "native/process"])?;
    let ending = inject::run(scene, command, &[], None)?;
    row.keep(scene, "next-")?;
    if ending.code != 0 {
        row.wrong(format!("the next start, of `build`, ends with {}", ending.code));
    }
    Ok(())
}

/// Renders the report of what was measured: nothing that was on disk before the fault may be lost.
fn report(scene: &Scene<'_>, ending: &Ending, row: &mut Row) -> Result<()> {
    let measured = ending.rows.lines().count().saturating_sub(1);
    let Some(run) = run(scene).filter(|_| measured > 0) else { return Ok(()) };
    let mut command = scene.tare(["report"])?;
    command.arg(&run).args(scene.folders(&scene.folder(Folder::Reports)));
    let ended = inject::run(scene, command, &[], None)?;
    row.keep(scene, "report-")?;
    let now = rows(scene);
    row.lost = ending.rows.lines().filter(|line| !now.lines().any(|other| other == *line)).count();
    if row.lost > 0 {
        row.wrong(format!("{} of {measured} samples are lost", row.lost));
    }
    if ended.code != 0 {
        row.wrong(format!("`report` of {measured} samples that are on disk ends with {}", ended.code));
    }
    Ok(())
}

impl Scene<'_> {
    /// Puts a sound run among the runs; returns its name.
    ///
    /// # Errors
    /// An error if there is none, or the disk refuses.
    pub fn sound_run(&self) -> Result<String> {
        let Some(sound) = &self.stage.sound else { bail!("there is no sound run") };
        let name = "20260101-000000-1";
        let folder = self.folder(Folder::Results).join(name);
        fs::create_dir_all(&folder)?;
        for file in super::observe::entries(sound) {
            fs::copy(&file, folder.join(file.file_name().unwrap_or_default()))?;
        }
        Ok(name.into())
    }
}
