//! Running the program, and doing something to it or around it when the moment has come.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use fs_err as fs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::engine::{Container, Daemon, Engine};
use super::fault::{Deed, Folder, Sign, Step};
use super::guard::Guard;
use super::observe::{self, entries, peak_bytes, rows};
use super::scene::{HOSTILE, Scene};

/// How long the program may take, but for the time in which it waits for another one.
const LIMIT: Duration = Duration::from_mins(1);

/// How often it is looked how far it is.
const PAUSE: Duration = Duration::from_millis(2);

/// What it says while it waits for another one.
pub const WAITING: &str = "waiting for it to end";

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ending {
    /// Its process id.
    pub pid: u32,
    /// Its exit status; 128 and the number of the signal that ended it.
    pub code: i32,
    /// From the first wish to end it to its end.
    pub obeyed: Option<Duration>,
    /// The most memory that it had, in bytes.
    pub peak_bytes: u64,
    /// The rows of the run that were complete on disk when the first thing was done to it; where nothing was, at its end.
    pub rows: String,
    /// What was to be done and was not, since it had ended before.
    pub missed: Option<Step>,
    /// How long it took since it waited for no other one.
    pub took: Duration,
    /// Whether it had to be killed, since it did not end.
    pub overdue: bool,
}

/// Runs the program to its end.
///
/// # Errors
/// An error if it cannot be started, or if something cannot be done.
pub fn run(scene: &Scene<'_>, mut command: Command, steps: &'static [Step], engine: Option<&Engine>) -> Result<Ending> {
    let mut child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let mut moment = Moment { scene, engine, steps, signs: 0, seen: Instant::now(), broken: None };
    let followed = follow(&mut child, &mut moment);
    if followed.is_err() {
        let _ = child.kill();
        child.wait()?;
    }
    // Before anything else: others use the engine, too.
    drop(moment.broken.take());
    if let Some(engine) = engine {
        engine.wait()?;
    }
    followed
}

fn follow(child: &mut Child, moment: &mut Moment<'_>) -> Result<Ending> {
    let scene = moment.scene;
    let (pid, mut begun, mut wished) = (child.id(), Instant::now(), None);
    let (mut peak, mut before, mut overdue) = (0, None, false);
    let status = loop {
        peak = peak.max(peak_bytes(pid).unwrap_or_default());
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let errors = fs::read(scene.errors()).unwrap_or_default();
        let errors = String::from_utf8_lossy(&errors);
        if errors.lines().next_back().is_some_and(|line| line.contains(WAITING)) {
            begun = Instant::now();
        }
        if begun.elapsed() > LIMIT {
            overdue = true;
            child.kill()?;
        }
        while let Some(deed) = moment.come(&errors)? {
            before.get_or_insert_with(|| rows(scene));
            if let Deed::Send(signal) = deed
                && !matches!(signal, Signal::SIGSTOP | Signal::SIGCONT)
            {
                wished.get_or_insert_with(Instant::now);
            }
            moment.act(deed, pid)?;
        }
        std::thread::sleep(PAUSE);
    };
    let obeyed = wished.map(|wished: Instant| wished.elapsed());
    let rows = before.unwrap_or_else(|| rows(scene));
    let (missed, took) = (moment.steps.first().copied(), begun.elapsed());
    Ok(Ending { pid, code: code(status), obeyed, peak_bytes: peak, rows, missed, took, overdue })
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// What is still to be done, and how much of its moment has come.
struct Moment<'a> {
    scene: &'a Scene<'a>,
    engine: Option<&'a Engine>,
    steps: &'static [Step],
    /// How many signs of the next step were seen, and when the last was.
    signs: usize,
    seen: Instant,
    broken: Option<Guard>,
}

impl Moment<'_> {
    /// What is to be done now.
    fn come(&mut self, errors: &str) -> Result<Option<Deed>> {
        let Some((step, rest)) = self.steps.split_first() else { return Ok(None) };
        while let Some(sign) = step.signs.get(self.signs) {
            if !self.is_seen(*sign, errors)? {
                return Ok(None);
            }
            (self.signs, self.seen) = (self.signs + 1, Instant::now());
        }
        if self.seen.elapsed() < Duration::from_millis(step.pause_ms) {
            return Ok(None);
        }
        (self.steps, self.signs, self.seen) = (rest, 0, Instant::now());
        Ok(Some(step.deed))
    }

    fn is_seen(&self, sign: Sign, errors: &str) -> Result<bool> {
        Ok(match sign {
            Sign::Said(text) => errors.contains(text),
            Sign::Marked(text, times) => {
                let marks = fs::read_to_string(self.scene.mark_file()).unwrap_or_default();
                marks.lines().filter(|line| *line == text).count() >= times
            }
            Sign::Rendering => {
                let reports = entries(&self.scene.folder(Folder::Reports));
                reports.iter().any(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')))
            }
            Sign::Container => self.container()?.is_some(),
        })
    }

    /// The container of the hostile program that runs.
    fn container(&self) -> Result<Option<Container>> {
        let engine = self.engine.context("this takes a container engine")?;
        let is_it = |container: &Container| container.command.contains(&format!("/{HOSTILE}"));
        Ok(engine.running()?.into_iter().find(is_it))
    }

    fn act(&mut self, deed: Deed, pid: u32) -> Result<()> {
        match deed {
            Deed::Send(signal) => kill(Pid::from_raw(pid.cast_signed()), signal)?,
            Deed::PauseEngine => self.broken = Some(Daemon::find()?.pause()?),
            Deed::EndEngine(by) => self.broken = Some(Daemon::find()?.end(by)?),
            Deed::RepairEngine => {
                self.broken = None;
                self.engine.context("this takes a container engine")?.wait()?;
            }
            Deed::RemoveRun => fs::remove_dir_all(observe::run(self.scene).context("there is no run to remove")?)?,
            Deed::RemoveContainer | Deed::PauseContainer => {
                let engine = self.engine.context("this takes a container engine")?;
                let container = self.container()?.context("the container is gone already")?;
                if deed == Deed::RemoveContainer { engine.remove(&container)? } else { engine.pause(&container)? }
            }
        }
        Ok(())
    }
}
