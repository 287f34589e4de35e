//! Measured processes: started on the subjects' CPUs, heard through the line protocol, ended for certain.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tare_protocol::Event;

use super::{Cause, End};
use crate::sys::affinity::{Cpus, pin_this_thread};
use crate::sys::cancel::Cancel;
use crate::sys::clock::monotonic_ns;
use crate::sys::owner;
use crate::sys::tree::with_descendants;

/// How long a process may take to end after SIGTERM before it is killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long what a process has announced may be on its way.
const LAG: Duration = Duration::from_millis(50);

/// How long a wait lasts before it is asked whether waiting still makes sense.
const SLICE: Duration = Duration::from_millis(20);

/// The longest line on standard output that may be an event, in bytes; what goes on after it is none.
const LONGEST_LINE: u64 = 16 * 1024;

/// The most events of a process that are kept.
const MOST_EVENTS: usize = 1000;

/// How much of the end of its log an error carries, in bytes.
const LAST_WORDS: u64 = 1000;

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
    /// Where its standard error goes.
    pub log: PathBuf,
}

/// A running process. Dropping it ends it, as [`Process::stop`] does.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    events: Receiver<Event>,
    log: PathBuf,
    /// Whether it was ended and waited for.
    over: bool,
}

impl Process {
    /// Starts a program on the subjects' CPUs. Returns it with the time just before.
    ///
    /// The calling thread takes the subjects' CPUs for the moment, since a child inherits them: setting them in the
    /// child would need a fork of the whole harness instead of the cheap spawn, and that time would be measured.
    pub fn start(program: Program<'_>, cpus: &Cpus) -> Result<(Self, u64)> {
        let Program { path, args, env, folder, commands, log } = program;
        let stderr = fs_err::File::create(&log)?;
        let mut command = Command::new(path);
        command.args(args).env_clear().envs(env).env(owner::ENV, owner::me().to_string());
        command.stdin(if commands { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(stderr.into_parts().0).process_group(0);
        if let Some(folder) = folder {
            command.current_dir(folder);
        }
        pin_this_thread(&cpus.subject)?;
        let began = monotonic_ns();
        let child = command.spawn();
        pin_this_thread(&cpus.generator)?;
        let mut child = child.with_context(|| format!("cannot start {}", path.display()))?;
        let stdout = BufReader::new(child.stdout.take().context("the standard output was asked for")?);
        let (sender, events) = channel();
        std::thread::spawn(move || listen(stdout, &sender));
        Ok((Self { stdin: child.stdin.take(), child, events, log, over: false }, began))
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
        let mut phases = Vec::new();
        loop {
            match self.event(deadline, cancel)? {
                Event::Phase { phase, at_ns } => phases.push((phase_name(phase, brought_to_life_by), at_ns)),
                Event::Listening { addr, at_ns, .. } => {
                    phases.push(("listen".into(), at_ns));
                    return Ok((addr, phases));
                }
                Event::Failed { service, error } => bail!("{service} could not be started: {error}"),
                Event::Ready { .. } => {}
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
                bail!("it announced nothing in time{}", with_words(&self.last_words()));
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
        let words = self.last_words();
        let words = if words.is_empty() { words } else { format!("its last words: {words}") };
        Ok(Some(End { cause, words }))
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
        let others: Vec<(i32, u64)> = with_descendants(self.pid()).into_iter().skip(1).filter_map(started).collect();
        let is_running = |process: &mut Self| matches!(process.ended(), Ok(None));
        if is_running(self) && kill(pid, Signal::SIGTERM).is_ok() {
            let deadline = Instant::now() + PATIENCE;
            while is_running(self) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        // Itself, and what it has started and left. These fail where nobody is left, which is the aim.
        let _ = killpg(pid, Signal::SIGKILL);
        for other in others.into_iter().filter(|other| started(other.0) == Some(*other)) {
            let _ = kill(Pid::from_raw(other.0), Signal::SIGKILL);
        }
        self.child.wait()?;
        Ok(())
    }

    /// The end of what it wrote to its standard error, for an error message.
    fn last_words(&self) -> String {
        let tail = || -> std::io::Result<Vec<u8>> {
            let mut file = fs_err::File::open(&self.log)?;
            let length = file.seek(SeekFrom::End(0))?;
            file.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS)))?;
            let mut bytes = Vec::new();
            file.take(LAST_WORDS).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = tail().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.trim().lines().collect();
        lines[lines.len().saturating_sub(5)..].join(" | ")
    }
}

/// Sends on the events among the lines of a program's output until it ends. Lines that are no events are the program's own
/// business; so is what they are made of.
fn listen(mut output: impl BufRead, events: &Sender<Event>) {
    let mut sent = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        match output.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        }
        // The output is read to its end whoever listens: a program whose output nobody takes would stop.
        if sent < MOST_EVENTS
            && let Ok(event) = serde_json::from_slice(&line)
        {
            sent += 1;
            let _ = events.send(event);
        }
    }
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

/// Whether a phase is one that starts have: what somebody brings may write any line that looks like one.
pub fn is_known(phase: &str) -> bool {
    ["main", "engine", "load", "compile", "link", "instantiate"].contains(&phase)
}

/// The name of a start's phase: what a program announces as `main` ends the phase in which it was brought to life.
pub fn phase_name(announced: String, brought_to_life_by: &str) -> String {
    if announced == "main" { brought_to_life_by.to_owned() } else { announced }
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
            log: folder.path().join("log"),
        };
        (Process::start(program, &Cpus::detect().unwrap()).unwrap().0, folder)
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
    fn what_it_started_ends_with_it() {
        let (mut process, _folder) = shell("sleep 60 & echo \"$!\" >&2; wait");
        let child = loop {
            let words = process.last_words();
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
