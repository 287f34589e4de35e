//! The labels on what a run makes in the engine, by which a later run knows what is left of a dead one.

use std::collections::BTreeMap;
use std::io;

use fs_err as fs;

/// The run's name, on its containers and on the images that it built.
pub(super) const RUN: &str = "tare.run";
/// The process that owns a container. Not on images: containers take over the labels of their image, and one that
/// somebody starts from it by hand is not ours to remove.
pub(super) const OWNER_PID: &str = "tare.owner.pid";
/// When that process started, so that another one with its number is not taken for it.
pub(super) const OWNER_START: &str = "tare.owner.start";
/// The kind of an image. The Dockerfiles set it in their first step, so that half-built images have it as well.
pub(super) const KIND: &str = "tare.kind";
/// SHA-256 of everything an image was made of.
pub(super) const DIGEST: &str = "tare.digest";

/// The run that containers are started for, and the process that will remove them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The run's name.
    pub run: String,
    /// The process.
    pub pid: i32,
    /// When it started; see [`start_ticks`].
    pub start: u64,
}

impl Owner {
    /// This process, for the run with this name.
    pub fn this_process(run: &str) -> io::Result<Self> {
        let pid = nix::unistd::Pid::this().as_raw();
        Ok(Self { run: run.into(), pid, start: start_ticks(pid)? })
    }

    /// Whether the process still runs. Another process under its number does not count.
    pub fn is_alive(&self) -> bool {
        start_ticks(self.pid).is_ok_and(|start| start == self.start)
    }

    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        [(RUN, self.run.clone()), (OWNER_PID, self.pid.to_string()), (OWNER_START, self.start.to_string())]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// The owner that labels name; nothing where they name none.
    pub(super) fn from_labels(labels: &std::collections::HashMap<String, String>) -> Option<Self> {
        Some(Self {
            run: labels.get(RUN)?.clone(),
            pid: labels.get(OWNER_PID)?.parse().ok()?,
            start: labels.get(OWNER_START)?.parse().ok()?,
        })
    }
}

/// When a process started, in clock ticks since boot. Fails where there is no such process, or only its zombie.
pub fn start_ticks(pid: i32) -> io::Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path)?;
    parse_start(&stat).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no living process in {path}")))
}

/// Fields 3 (state) and 22 (start time) of `proc_pid_stat(5)`; the name before them may hold spaces and brackets.
fn parse_start(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let alive = !matches!(fields.next()?, "Z" | "X");
    fields.nth(18)?.parse().ok().filter(|_| alive)
}

#[cfg(test)]
mod tests {
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
    fn an_owner_round_trips_and_a_reused_number_is_seen() {
        let owner = Owner::this_process("r1").unwrap();
        assert!(owner.is_alive());
        let labels = owner.labels().into_iter().collect();
        assert_eq!(Owner::from_labels(&labels), Some(owner.clone()));
        assert!(!Owner { start: owner.start + 1, ..owner }.is_alive());
    }
}
