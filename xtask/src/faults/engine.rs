//! The container engine of this machine, by its socket and its process: looked at, paused, stopped and started again.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;

use super::guard::Guard;

/// The label that names the owner of a container.
const OWNER: &str = "tare.owner";

/// The name of the engine's process.
const DAEMON: &str = "dockerd";

/// How long a call may take.
const CALL_LIMIT: Duration = Duration::from_secs(20);

/// How long the engine may take to start.
const START_LIMIT: Duration = Duration::from_mins(1);

/// Waits until the engine is gone, and starts it again as `scripts/setup` does, until the new one lives and listens for a while: a
/// process that has just been killed may still hold its socket, and its number, which keeps another from starting.
const START_AGAIN: &str = r#"
old=$1; shift
lives() { grep -qs . "/proc/$1/cmdline"; }
listens() { grep -q '00010000 .*/docker.sock$' /proc/net/unix; }
tries=0
while lives "$old" && [ $tries -lt 200 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -KILL "$old" 2>/dev/null
if [ -d /run/systemd/system ]; then systemctl reset-failed docker; systemctl start docker; exit; fi
pid=none; well=0; tries=0
while [ $well -lt 5 ] && [ $tries -lt 200 ]; do
    lives $pid || { setsid nohup "$@" >>/var/log/dockerd.log 2>&1 </dev/null & pid=$!; }
    sleep 0.2; tries=$((tries + 1))
    if lives $pid && listens; then well=$((well + 1)); else well=0; fi
done"#;

/// The engine.
#[derive(Debug, Clone)]
pub struct Engine {
    socket: PathBuf,
}

/// A container.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Container {
    /// Its id.
    pub id: String,
    /// What it runs.
    pub command: String,
    labels: Option<std::collections::BTreeMap<String, String>>,
}

impl Container {
    /// The process that owns it, as the program writes it; empty for somebody else's.
    pub fn owner(&self) -> &str {
        self.labels.as_ref().and_then(|labels| labels.get(OWNER)).map_or("", String::as_str)
    }
}

impl Engine {
    /// The engine at the usual socket, or at that of `DOCKER_HOST`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn find() -> Result<Self> {
        let host = std::env::var("DOCKER_HOST").unwrap_or_default();
        let socket = host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock");
        let engine = Self { socket: socket.into() };
        engine.call("GET", "/_ping").with_context(|| format!("no container engine answers at {socket}"))?;
        Ok(engine)
    }

    /// The containers that run.
    pub fn running(&self) -> Result<Vec<Container>> {
        Ok(serde_json::from_slice(&self.call("GET", "/containers/json")?)?)
    }

    /// All containers.
    pub fn all(&self) -> Result<Vec<Container>> {
        Ok(serde_json::from_slice(&self.call("GET", "/containers/json?all=1")?)?)
    }

    /// Removes a container, though it runs.
    pub fn remove(&self, container: &Container) -> Result<()> {
        self.call("DELETE", &format!("/containers/{}?force=1", container.id)).map(drop)
    }

    /// Stops the processes of a container where they are.
    pub fn pause(&self, container: &Container) -> Result<()> {
        self.call("POST", &format!("/containers/{}/pause", container.id)).map(drop)
    }

    /// Removes an image by its name, though containers use it.
    pub fn remove_image(&self, name: &str) -> Result<()> {
        self.call("DELETE", &format!("/images/{name}?force=1")).map(drop)
    }

    /// Asks for something by HTTP/1.0, whose answers end with their connection. Not by a version: any will do.
    fn call(&self, method: &str, path: &str) -> Result<Vec<u8>> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(CALL_LIMIT))?;
        stream
            .write_all(format!("{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Length: 0\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let head = answer.windows(4).position(|four| four == b"\r\n\r\n").context("the engine's answer has no end")?;
        let body = answer.split_off(head + 4);
        let status = String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap_or_default().to_owned();
        ensure!(status.starts_with('2'), "{method} {path}: {status} {}", String::from_utf8_lossy(&body).trim());
        Ok(body)
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// An error if it does not.
    pub fn wait(&self) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while let Err(error) = self.call("GET", "/_ping") {
            ensure!(Instant::now() < deadline, "the container engine was not brought back: {error:#}");
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

/// The engine's process.
#[derive(Debug)]
pub struct Daemon {
    pid: Pid,
    command: Vec<String>,
}

impl Daemon {
    /// The one that runs here.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub fn find() -> Result<Self> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let folder = entry?.path();
            let Some(pid) = folder.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
            let name = fs::read_to_string(folder.join("comm")).unwrap_or_default();
            let command = fs::read_to_string(folder.join("cmdline")).unwrap_or_default();
            if name.trim_end() == DAEMON && !command.is_empty() {
                let command = command.split_terminator('\0').map(str::to_owned).collect();
                found.push(Self { pid: Pid::from_raw(pid), command });
            }
        }
        match (found.pop(), found.is_empty()) {
            (Some(daemon), true) => Ok(daemon),
            (Some(_), false) => bail!("more than one {DAEMON} runs here"),
            (None, _) => bail!("no {DAEMON} runs here"),
        }
    }

    /// Stops it where it is, until the guard is dropped.
    pub fn pause(&self) -> Result<Guard> {
        let guard = Guard::new("kill -CONT \"$1\"", [self.pid.to_string()])?;
        kill(self.pid, Signal::SIGSTOP)?;
        Ok(guard)
    }

    /// Ends it by a signal. It is started again when the guard is dropped.
    pub fn end(&self, by: Signal) -> Result<Guard> {
        let guard = Guard::new(START_AGAIN, [self.pid.to_string()].iter().chain(&self.command))?;
        kill(self.pid, by)?;
        Ok(guard)
    }
}
