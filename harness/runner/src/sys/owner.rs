//! Whose a process or container is: every one that the harness starts names the harness that started it, so that a later
//! one can end what a killed one left behind, and nothing of a living one.
//!
//! A process id says little by itself: it is used again, after a restart of the machine too, and it means another process
//! in another namespace (a job in a container that uses the engine's socket). So the boot and the namespace belong to it.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::str::FromStr;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::tree::with_descendants;

/// The environment variable of a started process that names its owner.
pub const ENV: &str = "TARE_OWNER";

/// The inode of the process namespace that a machine starts with, `PROC_PID_INIT_INO` of Linux: all others lie below it.
const INITIAL_NAMESPACE: u64 = 0xEFFF_FFFC;

/// A harness process, told apart from every other one, on this machine and on others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// The kernel's random number of this boot of its machine.
    pub boot: u128,
    /// The inode of its process namespace.
    pub namespace: u64,
    /// Its process id in that namespace.
    pub pid: i32,
    /// Its start time in clock ticks since boot.
    pub start: u64,
}

/// Whether an owner still runs, as far as it can be seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Alive,
    /// It has ended.
    Dead,
    /// It belongs to another boot or machine, or to a process namespace that cannot be seen from here. What is its own is
    /// left alone.
    Unknown,
}

/// This process.
///
/// # Panics
/// Where /proc is not mounted.
pub fn me() -> Owner {
    static ME: OnceLock<Owner> = OnceLock::new();
    *ME.get_or_init(|| {
        let boot = fs_err::read_to_string("/proc/sys/kernel/random/boot_id").expect("/proc tells this boot's number");
        let boot = u128::from_str_radix(&boot.trim().replace('-', ""), 16).expect("the boot's number is a UUID");
        let namespace = namespace(std::process::id().cast_signed()).expect("/proc tells this process's namespace");
        let pid = std::process::id().cast_signed();
        Owner { boot, namespace, pid, start: start_ticks(pid).expect("/proc tells when this process started") }
    })
}

impl Owner {
    /// Whether it still runs.
    pub fn life(self) -> Life {
        let me = me();
        if self.boot != me.boot {
            return Life::Unknown;
        }
        if self.namespace != me.namespace {
            return self.life_elsewhere();
        }
        if start_ticks(self.pid).is_ok_and(|start| start == self.start) { Life::Alive } else { Life::Dead }
    }

    /// Whether it is certain that it has ended.
    pub fn is_dead(self) -> bool {
        self.life() == Life::Dead
    }

    /// Looks for a process of another namespace among those that are visible here.
    fn life_elsewhere(self) -> Life {
        let mut all_seen = me().namespace == INITIAL_NAMESPACE;
        for pid in pids() {
            // Those of this namespace are not looked at: their own may be hidden even from root.
            let Some(inner) = inner_pid(pid) else { continue };
            match namespace(pid) {
                Ok(namespace) => {
                    let is_it = namespace == self.namespace
                        && inner == self.pid
                        && start_ticks(pid).is_ok_and(|start| start == self.start);
                    if is_it {
                        return Life::Alive;
                    }
                }
                // It has ended meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => all_seen = false,
            }
        }
        if all_seen { Life::Dead } else { Life::Unknown }
    }
}

/// As one word: in an environment, in a label, in the name of a folder.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { boot, namespace, pid, start } = self;
        write!(f, "{boot:032x}-{namespace}-{pid}-{start}")
    }
}

impl FromStr for Owner {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let fields: Vec<&str> = text.split('-').collect();
        let [boot, namespace, pid, start] = fields[..] else { anyhow::bail!("`{text}` names no owner") };
        let owner = || -> Result<Self, std::num::ParseIntError> {
            let boot = u128::from_str_radix(boot, 16)?;
            Ok(Self { boot, namespace: namespace.parse()?, pid: pid.parse()?, start: start.parse()? })
        };
        owner().with_context(|| format!("`{text}` names no owner"))
    }
}

/// Every process that can be seen here.
pub fn pids() -> impl Iterator<Item = i32> {
    let entries = fs_err::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn namespace(pid: i32) -> io::Result<u64> {
    Ok(fs_err::metadata(format!("/proc/{pid}/ns/pid"))?.ino())
}

/// The id of a process in its own namespace, the last of `NSpid` in `proc_pid_status(5)`; `None` where that is this one.
fn inner_pid(pid: i32) -> Option<i32> {
    let status = fs_err::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    ids.split_whitespace().skip(1).last()?.parse().ok()
}

/// When a process started, in clock ticks since boot. Fails where there is no such process, or only its zombie.
pub fn start_ticks(pid: i32) -> io::Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs_err::read_to_string(&path)?;
    parse_start(&stat).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no living process in {path}")))
}

/// Fields 3 (state) and 22 (start time) of `proc_pid_stat(5)`; the name before them may hold spaces and brackets.
fn parse_start(stat: &str) -> Option<u64> {
    let mut fields = fields(stat)?;
    let alive = !matches!(fields.next()?, "Z" | "X");
    fields.nth(18)?.parse().ok().filter(|_| alive)
}

/// The fields of a `stat` from the state on.
fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(") ")?.1.split(' '))
}

/// This process and those that it descends from, as far as they can be seen.
fn lineage() -> BTreeSet<i32> {
    let parent = |pid: &i32| -> Option<i32> {
        let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        fields(&stat)?.nth(1)?.parse().ok().filter(|parent| *parent > 0)
    };
    std::iter::successors(Some(me().pid), parent).collect()
}

/// Kills the processes whose owner is dead. Returns their number.
pub fn sweep_processes() -> usize {
    kill_of(Owner::is_dead)
}

/// Kills the processes that this process has started and not ended: those that went their own way. Returns their number.
pub fn end_own() -> usize {
    kill_of(|owner| owner == me())
}

/// Kills all that descends from this process, whatever its environment says: nothing of a run that ends is still wanted. Where
/// this process adopts orphans, daemons are among them.
pub fn end_descendants() {
    for pid in with_descendants(me().pid).into_iter().skip(1) {
        // One that has ended meanwhile needs no end.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

/// Kills the processes of these owners, but for this one and those that it descends from, whose environment may name another
/// run's.
fn kill_of(is_one: impl Fn(Owner) -> bool) -> usize {
    let spared = lineage();
    let is_killed = |pid: &i32| {
        let environ = fs_err::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let is_one = !spared.contains(pid) && owner_in(&environ).is_some_and(&is_one);
        is_one && kill(Pid::from_raw(*pid), Signal::SIGKILL).is_ok()
    };
    pids().filter(is_killed).count()
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
        assert_eq!(me().life(), Life::Alive);
        assert!(Owner { start: me().start + 1, ..me() }.is_dead());
        assert_eq!(me().to_string().parse::<Owner>().unwrap(), me());
        for text in ["", "1:1", "1-2-3", "x-1-1-1", "1-1-1-1-1"] {
            assert!(text.parse::<Owner>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_owner_of_another_boot_or_machine_is_not_judged() {
        let elsewhere = Owner { boot: me().boot ^ 1, start: 1, ..me() };
        assert_eq!(elsewhere.life(), Life::Unknown);
    }

    /// A process in a namespace of its own, as a job in a container is.
    #[test]
    #[expect(clippy::print_stderr, reason = "a test that did not run must not look like one that passed")]
    fn an_owner_in_another_process_namespace_is_found_by_its_number_there() {
        if !nix::unistd::Uid::effective().is_root() || me().namespace != INITIAL_NAMESPACE {
            eprintln!(
                "\n*** SKIPPED: processes of another namespace are seen by root, in the machine's own namespace\n"
            );
            return;
        }
        // The child of `unshare` is the first process of the namespace.
        let mut unshare = Command::new("unshare").args(["--pid", "--fork", "sleep", "60"]).spawn().unwrap();
        let inner = loop {
            let children = crate::sys::tree::with_descendants(unshare.id().cast_signed());
            match children.get(1).filter(|pid| inner_pid(**pid) == Some(1)) {
                Some(pid) => break *pid,
                None => std::thread::yield_now(),
            }
        };
        let owner = Owner { namespace: namespace(inner).unwrap(), pid: 1, start: start_ticks(inner).unwrap(), ..me() };
        assert_eq!(owner.life(), Life::Alive);
        assert_eq!(Owner { pid: 2, ..owner }.life(), Life::Dead);
        kill(Pid::from_raw(inner), Signal::SIGKILL).unwrap();
        unshare.wait().unwrap();
        assert_eq!(owner.life(), Life::Dead);
    }

    #[test]
    fn this_process_and_those_before_it_are_spared() {
        let lineage = lineage();
        assert!(lineage.contains(&me().pid) && lineage.contains(&std::os::unix::process::parent_id().cast_signed()));
    }

    #[test]
    fn only_the_processes_of_the_dead_are_swept() {
        let dead = Owner { start: 1, ..me() };
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
