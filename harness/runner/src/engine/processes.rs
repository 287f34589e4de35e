//! The processes behind a container: its own, and those that the engine runs for it.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use fs_err as fs;
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use super::{Container, Engine, State};
use crate::sys::cgroup::Cgroup;
use crate::sys::tree::with_descendants;

/// The processes that a running container needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerProcesses {
    /// All processes in the container.
    pub service: Vec<i32>,
    /// The shim that watches over it.
    pub shim: Option<i32>,
    /// The proxies of its published port; none on the host's network or where the engine uses none.
    pub proxies: Vec<i32>,
}

/// The engine's processes that all containers share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemons {
    /// `dockerd`.
    pub engine: Vec<i32>,
    /// `containerd`, which may also serve others than the engine.
    pub containerd: Vec<i32>,
}

/// Finds the processes of a running container; its state is from [`super::Engine::inspect`].
pub fn processes_of(container: &Container, state: &State) -> Result<ContainerProcesses> {
    let Some(pid) = state.pid else { bail!("the container {} does not run: {}", container.name, state.exit) };
    let service = Cgroup::of(pid).and_then(|cgroup| cgroup.processes());
    let service = service.with_context(|| format!("finding the processes of the container {}", container.name))?;
    let all = command_lines()?;
    let pids = |wanted: &dyn Fn(&[String]) -> bool| -> Vec<i32> {
        all.iter().filter(|(_, args)| wanted(args)).map(|(pid, _)| *pid).collect()
    };
    let shim = pids(&|args| is_shim_of(args, &container.id)).first().copied();
    let proxies = state.host_port.map(|port| pids(&|args| is_proxy_of(args, port))).unwrap_or_default();
    Ok(ContainerProcesses { service, shim, proxies })
}

impl Engine {
    /// Finds the engine's shared processes.
    ///
    /// # Errors
    /// The machine's processes cannot be listed.
    pub fn daemons(&self) -> Result<Daemons> {
        let all = command_lines()?;
        let engine = engine_of(&all, self.peer);
        let containerd = |pid: &i32| all.iter().any(|(other, args)| other == pid && program(args) == "containerd");
        // Of several on a machine, the one that the engine has started is its own; one that the machine starts serves all.
        let own: Vec<i32> = engine.iter().flat_map(|pid| with_descendants(*pid)).filter(containerd).collect();
        let containerd =
            if own.is_empty() { all.iter().map(|(pid, _)| *pid).filter(containerd).collect() } else { own };
        Ok(Daemons { engine, containerd })
    }
}

/// The engine's process: the one that listens on its socket. Where that only starts the engine on demand, or cannot be seen,
/// those of the engine's name.
fn engine_of(all: &[(i32, Vec<String>)], peer: Option<i32>) -> Vec<i32> {
    let is_engine = |args: &[String]| program(args) == "dockerd";
    let named = |wanted: Option<i32>| {
        let found = all.iter().filter(|(pid, args)| is_engine(args) && wanted.is_none_or(|peer| peer == *pid));
        found.map(|(pid, _)| *pid).collect::<Vec<_>>()
    };
    let listening = if peer.is_some() { named(peer) } else { Vec::new() };
    if listening.is_empty() { named(None) } else { listening }
}

/// Whether the engine puts a proxy process before published ports, which is its default. Nothing where its process or
/// its configuration cannot be seen.
pub(super) fn userland_proxy(engine: &Engine) -> Option<bool> {
    let all = command_lines().ok()?;
    let pid = *engine_of(&all, engine.peer).first()?;
    let (_, args) = all.iter().find(|(other, _)| *other == pid)?;
    let config = option(args, "--config-file").unwrap_or("/etc/docker/daemon.json");
    let config = match fs::read_to_string(config) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(_) => return None,
    };
    proxy_setting(args, &config)
}

/// The setting from the engine's arguments and the text of its configuration file; it refuses to start with both.
fn proxy_setting(args: &[String], config: &str) -> Option<bool> {
    if let Some(argument) = args.iter().find_map(|arg| arg.strip_prefix("--userland-proxy")) {
        return argument.strip_prefix('=').unwrap_or("true").parse().ok();
    }
    if config.trim().is_empty() {
        return Some(true);
    }
    let config: serde_json::Value = serde_json::from_str(config).ok()?;
    config.get("userland-proxy").map_or(Some(true), serde_json::Value::as_bool)
}

/// What came of [`pin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinning {
    /// This many threads, all there are, are confined to the CPUs.
    Done {
        /// How many threads.
        threads: usize,
    },
    /// The processes belong to another user (the engine's usually run as root): they stay where they are.
    NotPermitted,
}

/// Confines all threads of processes to CPUs. Shims and proxies are outside of the container's cgroup, so its set of
/// CPUs does not bind them. Processes and threads that end meanwhile are passed over.
pub fn pin(pids: &[i32], cpus: &[usize]) -> Result<Pinning> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu).with_context(|| format!("CPU {cpu} is beyond what the kernel's sets hold"))?;
    }
    let mut pinned = HashSet::new();
    // A thread started while the others are being confined may have the old CPUs: again, until there is no new one.
    loop {
        let new: Vec<i32> =
            pids.iter().flat_map(|pid| threads(*pid)).filter(|thread| !pinned.contains(thread)).collect();
        if new.is_empty() {
            return Ok(Pinning::Done { threads: pinned.len() });
        }
        for thread in new {
            match sched_setaffinity(Pid::from_raw(thread), &set) {
                Ok(()) | Err(Errno::ESRCH) => pinned.insert(thread),
                Err(Errno::EPERM) => return Ok(Pinning::NotPermitted),
                Err(error) => return Err(error).with_context(|| format!("confining thread {thread} to CPUs {cpus:?}")),
            };
        }
    }
}

/// The threads of a process; none where it is gone.
fn threads(pid: i32) -> Vec<i32> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// Every process of the machine that has a command line, with it.
fn command_lines() -> Result<Vec<(i32, Vec<String>)>> {
    let entries = fs::read_dir("/proc")?;
    let line = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        // A process may end between the listing and the reading.
        let bytes = fs::read(entry.path().join("cmdline")).ok().filter(|bytes| !bytes.is_empty())?;
        let text = String::from_utf8_lossy(&bytes);
        Some((pid, text.trim_end_matches('\0').split('\0').map(str::to_owned).collect()))
    };
    Ok(entries.filter_map(Result::ok).filter_map(line).collect())
}

fn program(args: &[String]) -> &str {
    let path = args.first().map_or("", String::as_str);
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// The value of an option, given as the next argument or after an equals sign.
fn option<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    let next = args.iter().zip(args.iter().skip(1)).find(|(arg, _)| *arg == name).map(|(_, value)| value.as_str());
    next.or_else(|| args.iter().find_map(|arg| arg.strip_prefix(name)?.strip_prefix('=')))
}

fn is_shim_of(args: &[String], id: &str) -> bool {
    // What watches over a container of Podman is called otherwise.
    program(args).starts_with("containerd-shim") && option(args, "-id") == Some(id)
        || program(args) == "conmon" && option(args, "-c") == Some(id)
}

fn is_proxy_of(args: &[String], host_port: u16) -> bool {
    program(args) == "docker-proxy" && option(args, "-host-port").and_then(|port| port.parse().ok()) == Some(host_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn shims_and_proxies_are_told_by_their_arguments() {
        let shim = args("/usr/bin/containerd-shim-runc-v2 -namespace moby -id abc -address /run/containerd.sock");
        assert!(is_shim_of(&shim, "abc"));
        assert!(!is_shim_of(&shim, "ab"));
        assert!(!is_shim_of(&args("runc --id abc -id abc"), "abc"));
        assert!(is_shim_of(&args("/usr/bin/conmon --api-version 1 -c abc -u abc -r /usr/bin/crun"), "abc"));
        assert!(!is_shim_of(&args("/usr/bin/conmon -c abcd -u abc"), "abc"));
        let proxy =
            args("/usr/sbin/docker-proxy -proto tcp -host-ip 127.0.0.1 -host-port 4080 -container-ip 172.17.0.2");
        assert!(is_proxy_of(&proxy, 4080));
        assert!(!is_proxy_of(&proxy, 408));
    }

    #[test]
    fn the_proxy_setting_is_the_engines_unless_it_is_set() {
        assert_eq!(proxy_setting(&args("dockerd"), ""), Some(true));
        assert_eq!(proxy_setting(&args("dockerd --userland-proxy=false"), ""), Some(false));
        assert_eq!(proxy_setting(&args("dockerd --userland-proxy"), ""), Some(true));
        assert_eq!(proxy_setting(&args("dockerd"), r#"{"userland-proxy": false}"#), Some(false));
        assert_eq!(proxy_setting(&args("dockerd"), r#"{"debug": true}"#), Some(true));
        assert_eq!(proxy_setting(&args("dockerd"), "{"), None);
        assert_eq!(option(&args("dockerd --config-file=/a.json"), "--config-file"), Some("/a.json"));
    }

    #[test]
    fn every_thread_of_a_process_is_confined() {
        let cpu = (0..CpuSet::count())
            .find(|&cpu| nix::sched::sched_getaffinity(Pid::this()).unwrap().is_set(cpu).unwrap())
            .unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let pinning = pin(&[pid], &[cpu]);
        let affinity = nix::sched::sched_getaffinity(Pid::from_raw(pid)).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(pinning.unwrap(), Pinning::Done { threads: 1 });
        let set: Vec<usize> = (0..CpuSet::count()).filter(|&cpu| affinity.is_set(cpu).unwrap()).collect();
        assert_eq!(set, [cpu]);
    }

    #[test]
    fn a_process_that_is_gone_has_nothing_to_confine() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        child.wait().unwrap();
        assert_eq!(pin(&[pid], &[0]).unwrap(), Pinning::Done { threads: 0 });
    }
}
