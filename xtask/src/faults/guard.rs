//! What must be made good again, whatever becomes of this process.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// A shell script that runs when this is dropped, and as well when this process ends in any other way: it waits for the end of
/// its standard input, whose other end this process holds.
#[derive(Debug)]
pub struct Guard(Child);

impl Guard {
    /// Gets a script ready, with its arguments.
    ///
    /// # Errors
    /// An error if no shell can be started; nothing must be broken then.
    pub fn new<S: AsRef<OsStr>>(script: &str, args: impl IntoIterator<Item = S>) -> Result<Self> {
        let script = format!("trap '' HUP INT QUIT TERM\nread -r _\n{script}");
        let mut shell = Command::new("sh");
        // Not of this process's group, to which a terminal sends Ctrl-C.
        shell.args(["-c", &script, "guard"]).args(args).stdin(Stdio::piped()).process_group(0);
        Ok(Self(shell.spawn().context("cannot start a shell that makes good what is about to be broken")?))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Waiting closes its standard input first. What the script could not do is found by whoever looks next.
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_runs_at_the_end_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let guard = Guard::new("echo \"$2\" >\"$1\"", [mark.as_os_str(), OsStr::new("two words")]).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(!mark.exists());
        drop(guard);
        assert_eq!(fs_err::read_to_string(mark).unwrap(), "two words\n");
    }
}
