//! The processes that a process has started.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use nix::sys::prctl::set_child_subreaper;

/// A process and all that descend from it, each once, the process itself first. One that ends meanwhile may be missing.
pub fn with_descendants(pid: i32) -> Vec<i32> {
    let (mut found, mut seen) = (vec![pid], BTreeSet::from([pid]));
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        next += 1;
        found.extend(children(parent).into_iter().filter(|child| seen.insert(*child)));
    }
    found
}

/// The children of all threads of a process.
fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs_err::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = threads.filter_map(|thread| fs_err::read_to_string(thread.ok()?.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<_>>()).collect()
}

/// From now on this process is the parent of all that descend from it and whose own parent has ended: daemons do not get out of
/// sight.
///
/// # Errors
/// The kernel refuses.
pub fn adopt_orphans() -> Result<()> {
    set_child_subreaper(true).context("this process cannot become the parent of orphans")
}

/// The children of this process in whose environment this stands, as `NAME=value`: where it adopts orphans, also those that were
/// started by what has ended.
pub fn adopted(variable: &str) -> Vec<i32> {
    let has_it = |pid: &i32| {
        let environ = fs_err::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    };
    children(std::process::id().cast_signed()).into_iter().filter(has_it).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn grandchildren_belong_to_a_process() {
        let script = "sleep 60 & sleep 60 & echo started; wait";
        let mut shell = Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let pid = shell.id().cast_signed();
        let all = with_descendants(pid);
        for other in &all[1..] {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(*other), nix::sys::signal::Signal::SIGKILL).unwrap();
        }
        shell.kill().unwrap();
        shell.wait().unwrap();
        assert_eq!((all[0], all.len()), (pid, 3), "{all:?}");
    }
}
