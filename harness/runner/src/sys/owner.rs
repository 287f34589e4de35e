//! Whose a process or container is: every one that the harness starts carries the harness's process id and start time,
//! so that a later harness can end what a killed one left behind, and nothing of a living one.

use std::fmt;
use std::io;
use std::str::FromStr;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The environment variable of a started process that names its owner.
pub const ENV: &str = "TARE_OWNER";

/// A harness process, told apart from a later one with the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Its process id.
    pub pid: i32,
    /// Its start time in clock ticks since boot.
    pub start: u64,
}

/// This process.
///
/// # Panics
/// Where /proc is not mounted.
pub fn me() -> Owner {
    let pid = std::process::id().cast_signed();
    Owner { pid, start: start_ticks(pid).expect("/proc tells when this process started") }
}

impl Owner {
    /// Whether it still runs.
    pub fn is_alive(self) -> bool {
        start_ticks(self.pid).is_ok_and(|start| start == self.start)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.pid, self.start)
    }
}

impl FromStr for Owner {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (pid, start) = text.split_once(':').with_context(|| format!("`{text}` names no owner"))?;
        Ok(Self { pid: pid.parse()?, start: start.parse()? })
    }
}

/// When a process started, in clock ticks since boot. Fails where there is no such process, or only its zombie.
pub fn start_ticks(pid: i32) -> io::Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs_err::read_to_string(&path)?;
    parse_start(&stat).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no living process in {path}")))
}

/// Fields 3 (state) and 22 (start time) of `proc_pid_stat(5)`; the name before them may hold spaces and brackets.
fn parse_start(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let alive = !matches!(fields.next()?, "Z" | "X");
    fields.nth(18)?.parse().ok().filter(|_| alive)
}

/// Kills the processes whose owner is dead. Returns their number.
pub fn sweep_processes() -> usize {
    kill_of(|owner| !owner.is_alive())
}

/// Kills the processes that this process has started and not ended: those that went their own way. Returns their number.
pub fn end_own() -> usize {
    kill_of(|owner| owner == me())
}

/// Kills the processes of these owners, but for this one, whose environment may name another run's.
fn kill_of(is_one: impl Fn(Owner) -> bool) -> usize {
    let Ok(entries) = fs_err::read_dir("/proc") else { return 0 };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|&pid| {
        let environ = fs_err::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let is_one = pid != me().pid && owner_in(&environ).is_some_and(&is_one);
        is_one && kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok()
    })
    .count()
}

fn owner_in(environ: &[u8]) -> Option<Owner> {
    let prefix = format!("{ENV}=");
    let mut variables = environ.split(|&byte| byte == 0).filter_map(|variable| std::str::from_utf8(variable).ok());
    variables.find_map(|variable| variable.strip_prefix(&prefix))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const STAT: &str =
        "42 (a (b) c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200 18446744073709551615";

    #[test]
    fn the_start_is_read_whatever_the_name_and_only_of_the_living() {
        assert_eq!(parse_start(STAT), Some(987_654));
        assert_eq!(parse_start(&STAT.replace(") S ", ") Z ")), None);
        assert_eq!(parse_start(""), None);
    }

    #[test]
    fn this_process_is_alive_and_another_start_is_not_it() {
        assert!(me().is_alive());
        assert!(!Owner { start: me().start + 1, ..me() }.is_alive());
        assert_eq!(me().to_string().parse::<Owner>().unwrap(), me());
    }

    #[test]
    fn only_the_processes_of_the_dead_are_swept() {
        let dead = Owner { pid: me().pid, start: 1 };
        let mut orphan = Command::new("sleep").arg("60").env(ENV, dead.to_string()).spawn().unwrap();
        let mut living = Command::new("sleep").arg("60").env(ENV, me().to_string()).spawn().unwrap();
        // A child shows the parent's environment until it has become the new program.
        while sweep_processes() == 0 {
            std::thread::yield_now();
        }
        assert!(!orphan.wait().unwrap().success());
        assert!(living.try_wait().unwrap().is_none());
        living.kill().unwrap();
        living.wait().unwrap();
    }
}
