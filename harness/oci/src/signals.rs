//! Waiting for the program's end, and for the wish that it ends.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, alarm};

/// How long the program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(1);

/// The exit code of what was killed, as of a shell.
pub(crate) const KILLED: u8 = 128 + Signal::SIGKILL as u8;

/// The signals that wait until somebody asks for them.
pub(crate) struct Signals(SigSet);

impl Signals {
    /// Holds the signals back from now on. A wish to end that comes while a container is made is heard afterwards.
    pub(crate) fn hold() -> Result<Self> {
        let held: SigSet =
            [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGCHLD, Signal::SIGALRM].into_iter().collect();
        held.thread_block().context("signals cannot be held back")?;
        Ok(Self(held))
    }

    /// Waits until a child ends, ending it when this process is asked to end; gives the exit code that tells both.
    pub(crate) fn wait_for(&self, child: Pid) -> Result<u8> {
        let mut asked = false;
        loop {
            match self.0.wait().context("signals cannot be waited for")? {
                Signal::SIGCHLD => {}
                Signal::SIGALRM => kill_hard(child),
                _ if asked => kill_hard(child),
                _ => {
                    asked = true;
                    ask_to_end(child);
                }
            }
            // Also where it was another signal: a child that ended meanwhile told so only once.
            match waitpid(child, Some(WaitPidFlag::WNOHANG)).context("the program's end cannot be waited for")? {
                WaitStatus::Exited(_, code) => return Ok(u8::try_from(code).unwrap_or(u8::MAX)),
                WaitStatus::Signaled(_, signal, _) => return Ok(128 + signal as u8),
                _ => {}
            }
        }
    }
}

/// Asks nicely, where the program listens: the first process of a container never gets a signal that it has no handler
/// for, which elsewhere would have ended it.
fn ask_to_end(child: Pid) {
    if handles(child, Signal::SIGTERM) {
        let _ = kill(child, Signal::SIGTERM);
        alarm::set(u32::try_from(GRACE.as_secs()).unwrap_or(1));
    } else {
        kill_hard(child);
    }
}

fn handles(process: Pid, signal: Signal) -> bool {
    let status = fs_err::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    has_handler(&status, signal)
}

fn has_handler(status: &str, signal: Signal) -> bool {
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    caught & (1 << (signal as u32 - 1)) != 0
}

/// The child is not yet waited for, so that its number cannot be another's.
fn kill_hard(child: Pid) {
    let _ = kill(child, Signal::SIGKILL);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_are_read_from_the_status() {
        let status = "Name:\tx\nSigIgn:\t0000000000004000\nSigCgt:\t0000000000004002\n";
        assert!(has_handler(status, Signal::SIGTERM));
        assert!(has_handler(status, Signal::SIGINT));
        assert!(!has_handler(status, Signal::SIGHUP));
        assert!(!has_handler("", Signal::SIGTERM));
    }
}
