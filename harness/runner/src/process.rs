//! Measured processes: started on the subjects' CPUs, heard through the line protocol, ended for certain.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tare_protocol::Event;

use crate::affinity::{Cpus, pin_this_thread};
use crate::cancel::Cancel;
use crate::clock::monotonic_ns;
use crate::owner;

/// How long a process may take to end after SIGTERM before it is killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long what a process has announced may be on its way.
const LAG: Duration = Duration::from_millis(50);

/// What to start.
#[derive(Debug)]
pub struct Program<'a> {
    /// The executable.
    pub path: &'a Path,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment: nothing is inherited.
    pub env: BTreeMap<String, String>,
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
}

impl Process {
    /// Starts a program on the subjects' CPUs. Gives it with the time just before.
    ///
    /// The calling thread takes the subjects' CPUs for the moment, since a child inherits them: setting them in the
    /// child would need a fork of the whole harness instead of the cheap spawn, and that time would be measured.
    pub fn start(program: Program<'_>, cpus: &Cpus) -> Result<(Self, u64)> {
        let Program { path, args, env, commands, log } = program;
        let stderr = fs_err::File::create(&log)?;
        let mut command = Command::new(path);
        command.args(args).env_clear().envs(env).env(owner::ENV, owner::me().to_string());
        command.stdin(if commands { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(stderr.into_parts().0).process_group(0);
        pin_this_thread(&cpus.subject)?;
        let began = monotonic_ns();
        let child = command.spawn();
        pin_this_thread(&cpus.generator)?;
        let mut child = child.with_context(|| format!("cannot start {}", path.display()))?;
        let stdout = BufReader::new(child.stdout.take().context("the standard output was asked for")?);
        let (sender, events) = channel();
        std::thread::spawn(move || {
            // Lines that are no events are the program's own business. The end of its output ends this thread.
            for line in stdout.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line);
                if event.is_ok_and(|event| sender.send(event).is_err()) {
                    return;
                }
            }
        });
        Ok((Self { stdin: child.stdin.take(), child, events, log }, began))
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        // Process ids are positive and fit: the kernel's own type is i32.
        self.child.id().cast_signed()
    }

    /// Hears the phases of a start up to where the service listens.
    ///
    /// # Errors
    /// When it says that it failed, ends, or is silent until the timeout.
    pub fn listening(&mut self, timeout: Duration, cancel: &Cancel) -> Result<(SocketAddr, Vec<(String, u64)>)> {
        self.listening_after("spawn", timeout, cancel)
    }

    /// The same of what is brought to life in another phase than the process itself.
    pub fn listening_after(
        &mut self,
        brought_to_life_by: &str,
        timeout: Duration,
        cancel: &Cancel,
    ) -> Result<(SocketAddr, Vec<(String, u64)>)> {
        let mut phases = Vec::new();
        let deadline = Instant::now() + timeout;
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

    /// Hears a phase that ends with the first request, after that was answered; nothing where none was announced.
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
    pub fn ready(&mut self, timeout: Duration, cancel: &Cancel) -> Result<()> {
        let deadline = Instant::now() + timeout;
        while !matches!(self.event(deadline, cancel)?, Event::Ready { .. }) {}
        Ok(())
    }

    fn event(&mut self, deadline: Instant, cancel: &Cancel) -> Result<Event> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left.min(Duration::from_millis(50))) {
                Ok(event) => return Ok(event),
                Err(RecvTimeoutError::Timeout) if cancel.is_set() => bail!("interrupted"),
                Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
                Err(RecvTimeoutError::Timeout) => bail!("it said nothing in time{}", self.last_words()),
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.child.wait().context("cannot tell how it ended")?;
                    return Err(anyhow!("it ended before it listened: {}{}", describe(status), self.last_words()));
                }
            }
        }
    }

    /// Gives a command to a host.
    pub fn command(&mut self, command: &tare_protocol::Command) -> Result<()> {
        let stdin = self.stdin.as_mut().context("this process was started without commands")?;
        let line = format!("{}\n", serde_json::to_string(command)?);
        stdin.write_all(line.as_bytes()).context("the host takes no commands any more")
    }

    /// Says how it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<String>> {
        let status = self.child.try_wait().context("cannot tell whether it runs")?;
        Ok(status.map(|status| format!("it ended: {}{}", describe(status), self.last_words())))
    }

    /// Asks it to end, and kills it when it does not.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        self.stdin = None;
        // The number of one that was waited for may be another's.
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        kill(Pid::from_raw(self.pid()), Signal::SIGTERM)?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// The end of what it wrote to its standard error, for an error message.
    fn last_words(&self) -> String {
        let text = fs_err::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.trim().lines().collect();
        let tail = lines[lines.len().saturating_sub(5)..].join(" | ");
        if tail.is_empty() { String::new() } else { format!("; its last words: {tail}") }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It fails only when it is gone, which is the aim.
        let _ = self.end();
    }
}

/// The name of a start's phase: what a program announces as `main` ends the phase in which it was brought to life.
pub fn phase_name(announced: String, brought_to_life_by: &str) -> String {
    if announced == "main" { brought_to_life_by.to_owned() } else { announced }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown status".into(),
    }
}
