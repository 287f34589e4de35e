//! Measured processes: started on the subjects' CPUs, heard through the line protocol, ended for certain.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{PipeReader, PipeWriter, Write};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;
use tare_protocol::Event;

use self::output::{LAG, Log};
use super::{Cause, End};
use crate::sys::affinity::{Cpus, pin_this_thread};
use crate::sys::cancel::Cancel;
use crate::sys::clock::monotonic_ns;
use crate::sys::tree::{adopted, with_descendants};
use crate::sys::{owner, unprivileged};

mod output;

/// How long a process may take to end after SIGTERM before it is killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a wait lasts before it is asked whether waiting still makes sense.
const SLICE: Duration = Duration::from_millis(20);

/// The same once the user has ended the run.
const PATIENCE_IN_HASTE: Duration = Duration::from_millis(300);

/// The environment variable by which the processes of a start are told apart: those that leave it, too, as daemons do.
const LAUNCH: &str = "TARE_LAUNCH";

/// What to start.
#[derive(Debug)]
pub struct Program<'a> {
    /// The executable.
    pub path: &'a Path,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment: nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// The folder that it runs in; `None` for this process's own.
    pub folder: Option<&'a Path>,
    /// Whether it gets a standard input for commands.
    pub commands: bool,
    /// Whether it runs as nobody.
    pub as_nobody: bool,
    /// Where its standard error goes.
    pub log: PathBuf,
}

/// A running process. Dropping it ends it, as [`Process::stop`] does.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    events: Receiver<Event>,
    log: Log,
    /// The value of [`LAUNCH`] in it and in what it starts.
    launch: String,
    cancel: Cancel,
    /// Whether it was ended and waited for.
    over: bool,
}

impl Process {
    /// Starts a program on the subjects' CPUs. Returns it with the time just before.
    ///
    /// The calling thread takes the subjects' CPUs for the moment, since a child inherits them: setting them in the
    /// child would need a fork of the whole harness instead of the cheap spawn, and that time would be measured.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(program: Program<'_>, cpus: &Cpus, cancel: &Cancel) -> Result<(Self, u64)> {
        static LAUNCHES: AtomicU64 = AtomicU64::new(0);
        let Program { path, args, env, folder, commands, as_nobody, log } = program;
        // What reads its output waits before it is started: making threads takes time.
        let ((output, stdout), (errors, stderr)) = (pipe()?, pipe()?);
        let (events, log) = (output::events(output), Log::keep(errors, log)?);
        let launch = format!("{}-{}", owner::me(), LAUNCHES.fetch_add(1, Ordering::Relaxed));
        let mut command = Command::new(path);
        command.args(args).env_clear().envs(env).env(owner::ENV, owner::me().to_string()).env(LAUNCH, &launch);
        command.stdin(if commands { Stdio::piped() } else { Stdio::null() });
        command.stdout(stdout).stderr(stderr).process_group(0);
        if let Some(folder) = folder {
            command.current_dir(folder);
        }
        let (subject, generator) = (cpus.subject.clone(), cpus.generator.clone());
        let mut spawn = move || -> Result<_> {
            pin_this_thread(&subject)?;
            let began = monotonic_ns();
            let child = command.spawn();
            pin_this_thread(&generator)?;
            Ok((child?, began))
        };
        let started = if as_nobody { unprivileged::as_nobody(spawn).flatten() } else { spawn() };
        let (mut child, began) = started.with_context(|| format!("cannot start {}", path.display()))?;
        let stdin = child.stdin.take();
        Ok((Self { child, stdin, events, log, launch, cancel: cancel.clone(), over: false }, began))
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        // Process ids are positive and fit: the kernel's own type is i32.
        self.child.id().cast_signed()
    }

    /// Hears the phases of a start up to where the service listens.
    ///
    /// # Errors
    /// When it says that it failed, ends, or is silent until the deadline.
    pub fn listening(&mut self, deadline: Instant, cancel: &Cancel) -> Result<(SocketAddr, Vec<(String, u64)>)> {
        self.listening_after("spawn", deadline, cancel)
    }

    /// The same of what is brought to life in another phase than the process itself.
    pub fn listening_after(
        &mut self,
        brought_to_life_by: &str,
        deadline: Instant,
        cancel: &Cancel,
    ) -> Result<(SocketAddr, Vec<(String, u64)>)> {
        let mut heard = Vec::new();
        loop {
            let event = self.event(deadline, cancel)?;
            let listens = match &event {
                Event::Listening { addr, .. } => Some(*addr),
                Event::Failed { service, error } => bail!("{service} could not be started: {error}"),
                Event::Phase { .. } | Event::Ready { .. } => None,
            };
            heard.push(event);
            if let Some(addr) = listens {
                return Ok((addr, marks(heard, brought_to_life_by)));
            }
        }
    }

    /// Hears a phase that ends with the first request, after that was answered; `None` where none was announced.
    pub fn late_phase(&mut self, wanted: &str) -> Option<(String, u64)> {
        match self.events.recv_timeout(LAG) {
            Ok(Event::Phase { phase, at_ns }) if phase == wanted => Some((phase, at_ns)),
            _ => None,
        }
    }

    /// Hears until a host without components is ready for commands.
    ///
    /// # Errors
    /// As of [`Process::listening`].
    pub fn ready(&mut self, deadline: Instant, cancel: &Cancel) -> Result<()> {
        while !matches!(self.event(deadline, cancel)?, Event::Ready { .. }) {}
        Ok(())
    }

    fn event(&mut self, deadline: Instant, cancel: &Cancel) -> Result<Event> {
        loop {
            match self.events.recv_timeout(SLICE.min(deadline.saturating_duration_since(Instant::now()))) {
                Ok(event) => return Ok(event),
                Err(RecvTimeoutError::Timeout) => {}
                // It may have closed its output and run on.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(Duration::from_millis(1)),
            }
            if cancel.is_set() {
                bail!("interrupted");
            }
            if let Some(end) = self.ended()? {
                // What it announced right before its end is on its way.
                return self.events.recv_timeout(LAG).map_err(|_| anyhow!("before it listened, {end}"));
            }
            if Instant::now() >= deadline {
                bail!("it announced nothing in time{}", with_words(&self.log.last_words()));
            }
        }
    }

    /// Everything that it has announced and that was not heard yet.
    pub fn heard(&mut self) -> Vec<Event> {
        self.events.try_iter().collect()
    }

    /// Sends a command to a host.
    pub fn command(&mut self, command: &tare_protocol::Command) -> Result<()> {
        let stdin = self.stdin.as_mut().context("this process was started without commands")?;
        let line = format!("{}\n", serde_json::to_string(command)?);
        stdin.write_all(line.as_bytes()).context("the host takes no commands any more")
    }

    /// Returns how it ended; `None` while it runs.
    pub fn ended(&mut self) -> Result<Option<End>> {
        // It stays a zombie, so that its number stays its own until all that it started is ended.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let cause = match waitid(Id::Pid(Pid::from_raw(self.pid())), flags) {
            Ok(WaitStatus::Exited(_, code)) => End::from_status(code.into()),
            Ok(WaitStatus::Signaled(_, signal, _)) => Cause::Signalled((signal as i32).into()),
            Ok(_) => return Ok(None),
            // By a signal that has no name, such as those for real time.
            Err(Errno::EINVAL) => Cause::Gone,
            Err(error) => return Err(anyhow!(error).context("cannot tell whether it runs")),
        };
        self.log.settle();
        let words = self.log.last_words();
        let words = if words.is_empty() { words } else { format!("its last words: {words}") };
        Ok(Some(End { cause, words }))
    }

    /// It and all that it has started, those too that have left it; it first.
    pub fn tree(&self) -> Vec<i32> {
        let mut all = with_descendants(self.pid());
        let mark = format!("{LAUNCH}={}", self.launch);
        for stray in adopted(&mark).into_iter().flat_map(with_descendants) {
            if !all.contains(&stray) {
                all.push(stray);
            }
        }
        all
    }

    /// Asks it to end, and kills it when it does not.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if self.over {
            return Ok(());
        }
        self.over = true;
        self.stdin = None;
        let pid = Pid::from_raw(self.pid());
        // Those that have left its process group, too; told from later ones with their numbers by when they started.
        let started = |pid: i32| Some((pid, owner::start_ticks(pid).ok()?));
        let others = |process: &Self| process.tree().into_iter().skip(1).filter_map(started).collect::<BTreeSet<_>>();
        let mut left = others(self);
        if self.is_running() && kill(pid, Signal::SIGTERM).is_ok() {
            let asked = Instant::now();
            let patience = |cancel: &Cancel| if cancel.is_set() { PATIENCE_IN_HASTE } else { PATIENCE };
            while self.is_running() && asked.elapsed() < patience(&self.cancel) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        // Once more: what it has started since, and what it has left when it ended.
        left.extend(others(self));
        // Itself, and what it has started and left. These fail where nobody is left, which is the aim.
        let _ = killpg(pid, Signal::SIGKILL);
        for other in left.into_iter().filter(|other| started(other.0) == Some(*other)) {
            let _ = kill(Pid::from_raw(other.0), Signal::SIGKILL);
            reap(other.0);
        }
        self.child.wait()?;
        Ok(())
    }

    fn is_running(&self) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        matches!(waitid(Id::Pid(Pid::from_raw(self.pid())), flags), Ok(WaitStatus::StillAlive))
    }
}

/// Takes away what is left of a killed process that this one has adopted; of another's child there is nothing to take.
fn reap(pid: i32) {
    let until = Instant::now() + LAG;
    while matches!(waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)), Ok(WaitStatus::StillAlive))
        && Instant::now() < until
    {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A pipe, of which the program gets the second end.
fn pipe() -> Result<(PipeReader, PipeWriter)> {
    std::io::pipe().context("no pipe can be made for its output")
}

/// Words for the end of an error; empty for none.
fn with_words(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!("; its last words: {words}") }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It fails only when it is gone, which is the aim.
        let _ = self.end();
    }
}

/// The phases that programs announce, besides `main`.
const PHASES: &[&str] = &["engine", "load", "compile", "link", "instantiate"];

/// The ends of phases among what a program announced: the first of each that starts have. What somebody brings may write any
/// line that looks like one, any number of times. What a program announces as `main` ends the phase in which it was brought to
/// life.
pub fn marks(heard: impl IntoIterator<Item = Event>, brought_to_life_by: &str) -> Vec<(String, u64)> {
    let mut marks: Vec<(String, u64)> = Vec::new();
    for event in heard {
        let mark = match event {
            Event::Phase { phase, at_ns } if phase == "main" => (brought_to_life_by.to_owned(), at_ns),
            Event::Phase { phase, at_ns } if PHASES.contains(&phase.as_str()) => (phase, at_ns),
            Event::Listening { at_ns, .. } => ("listen".to_owned(), at_ns),
            Event::Phase { .. } | Event::Ready { .. } | Event::Failed { .. } => continue,
        };
        if marks.iter().all(|(known, _)| *known != mark.0) {
            marks.push(mark);
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (Process, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let program = Program {
            path: Path::new("/bin/sh"),
            args: vec!["-c".into(), script.into()],
            env: BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap_or_default())]),
            folder: None,
            commands: false,
            as_nobody: false,
            log: folder.path().join("log"),
        };
        (Process::start(program, &Cpus::detect().unwrap(), &Cancel::default()).unwrap().0, folder)
    }

    const LISTENING: &str = r#"{"event":"listening","service":"a","addr":"127.0.0.1:1","at_ns":5}"#;

    fn listening(process: &mut Process, timeout: Duration) -> Result<SocketAddr> {
        Ok(process.listening(Instant::now() + timeout, &Cancel::default())?.0)
    }

    #[test]
    fn an_event_is_heard_among_bytes_that_are_no_text_and_lines_without_an_end() {
        let noise = "head -c 300000 /dev/zero; printf '\\377\\376\\n'";
        let (mut process, _folder) = shell(&format!("{noise}; echo '{LISTENING}'; exec sleep 60"));
        assert_eq!(listening(&mut process, Duration::from_secs(20)).unwrap().port(), 1);
    }

    #[test]
    fn one_that_closes_its_output_is_waited_for_until_the_deadline_and_one_that_ends_is_not() {
        let (mut process, _folder) = shell("exec >&-; exec sleep 60");
        let error = listening(&mut process, Duration::from_millis(200)).unwrap_err().to_string();
        assert!(error.contains("announced nothing in time"), "{error}");
        let (mut process, _folder) = shell("echo so it ends >&2; exit 7");
        let error = listening(&mut process, Duration::from_mins(1)).unwrap_err().to_string();
        assert_eq!(error, "before it listened, it ended with exit code 7: its last words: so it ends");
    }

    #[test]
    fn waiting_ends_when_the_user_ends_the_run() {
        let (mut process, _folder) = shell("exec sleep 60");
        let cancel = Cancel::default();
        cancel.set();
        let error = process.listening(Instant::now() + Duration::from_mins(1), &cancel).unwrap_err();
        assert_eq!(error.to_string(), "interrupted");
    }

    #[test]
    fn a_daemon_that_has_left_it_belongs_to_it_and_ends_with_it() {
        crate::sys::tree::adopt_orphans().unwrap();
        let (mut process, _folder) = shell("sh -c 'setsid sleep 60 >/dev/null 2>&1 &'; exec sleep 60");
        let daemon = loop {
            let tree = process.tree();
            let name = |pid: &i32| fs_err::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            match tree.iter().skip(1).find(|pid| name(pid) == "sleep\n") {
                Some(daemon) if nix::unistd::getsid(Some(Pid::from_raw(*daemon))) == Ok(Pid::from_raw(*daemon)) => {
                    break *daemon;
                }
                _ => std::thread::yield_now(),
            }
        };
        process.end().unwrap();
        while owner::start_ticks(daemon).is_ok() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_that_does_not_end_is_not_waited_for_once_the_user_has_ended_the_run() {
        let (mut process, _folder) = shell("trap '' TERM; echo ready >&2; while :; do sleep 60; done");
        while process.log.last_words() != "ready" {
            std::thread::yield_now();
        }
        process.cancel.set();
        let asked = Instant::now();
        process.end().unwrap();
        assert!(asked.elapsed() < PATIENCE, "{:?}", asked.elapsed());
    }

    #[test]
    fn a_phase_counts_once_and_under_a_known_name_only() {
        let phase = |phase: &str, at_ns| Event::Phase { phase: phase.into(), at_ns };
        let heard = [phase("main", 1), phase("main", 2), phase("=SUM(A1)", 3), phase("load", 4), phase("load", 5)];
        assert_eq!(marks(heard, "spawn"), [("spawn".to_owned(), 1), ("load".to_owned(), 4)]);
    }

    #[test]
    fn what_it_started_ends_with_it() {
        let (mut process, _folder) = shell("sleep 60 & echo \"$!\" >&2; wait");
        let child = loop {
            let words = process.log.last_words();
            if let Ok(pid) = words.parse::<i32>() {
                break Pid::from_raw(pid);
            }
            assert_eq!(process.ended().unwrap(), None);
            std::thread::yield_now();
        };
        process.end().unwrap();
        // The kernel takes a moment; who adopted it may leave it as a zombie.
        let gone = || owner::start_ticks(child.as_raw()).is_err();
        while !gone() {
            std::thread::yield_now();
        }
    }
}
