//! The description of a container as the OCI specifies it: what Docker gives a hardened one on the host's network.
//!
//! "Hardened" is a read-only root, user 65534, no capabilities and no new ones. There is no network namespace, and no
//! `/etc/hosts` and the like, which Docker binds into the root from files of its own.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result};
use libcontainer::oci_spec::OciSpecError;
use libcontainer::oci_spec::runtime::{
    Linux, LinuxBuilder, LinuxCapabilities, LinuxCapabilitiesBuilder, LinuxCpuBuilder, LinuxDeviceCgroup,
    LinuxDeviceCgroupBuilder, LinuxMemoryBuilder, LinuxNamespace, LinuxNamespaceBuilder, LinuxNamespaceType,
    LinuxPidsBuilder, LinuxResources, LinuxResourcesBuilder, Mount, MountBuilder, Process, ProcessBuilder, RootBuilder,
    Spec, SpecBuilder, UserBuilder,
};

use crate::settings::{Limits, Settings};
use crate::{cgroup, seccomp};

type Built<T> = std::result::Result<T, OciSpecError>;

/// The user and group that nothing on a system belongs to.
const NOBODY: u32 = 65534;

/// What tells of the host, or reaches into it, in /proc and /sys: not to be seen.
const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// The same, not to be written.
const READ_ONLY: &[&str] = &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The description of the container that the settings ask for.
pub(crate) fn of(settings: &Settings) -> Result<Spec> {
    spec(settings).context("the container cannot be described")
}

fn spec(settings: &Settings) -> Built<Spec> {
    SpecBuilder::default()
        .version("1.0.2")
        .root(RootBuilder::default().path(&settings.rootfs).readonly(true).build()?)
        .hostname(settings.id.as_str())
        .mounts(MOUNTS.iter().map(mount).collect::<Built<Vec<_>>>()?)
        .process(process(settings)?)
        .linux(linux(settings)?)
        .build()
}

fn process(settings: &Settings) -> Built<Process> {
    ProcessBuilder::default()
        .terminal(false)
        .user(UserBuilder::default().uid(NOBODY).gid(NOBODY).build()?)
        .args(settings.program.clone())
        .env(environment(&settings.env))
        .cwd("/")
        .capabilities(no_capabilities()?)
        // The runtime's own limits hold.
        .rlimits(Vec::new())
        .no_new_privileges(true)
        .build()
}

/// The library asks the system's list of users for a home that the environment does not name, which is slow; the
/// program does not get to see what is added here.
fn environment(env: &[(String, String)]) -> Vec<String> {
    let given = env.iter().map(|(name, value)| format!("{name}={value}"));
    given.chain([String::from("HOME=/")]).collect()
}

fn no_capabilities() -> Built<LinuxCapabilities> {
    LinuxCapabilitiesBuilder::default()
        .bounding(HashSet::new())
        .effective(HashSet::new())
        .inheritable(HashSet::new())
        .permitted(HashSet::new())
        .ambient(HashSet::new())
        .build()
}

fn linux(settings: &Settings) -> Built<Linux> {
    let strings = |paths: &[&str]| paths.iter().map(|&path| path.to_owned()).collect::<Vec<_>>();
    LinuxBuilder::default()
        .cgroups_path(Path::new("/").join(&settings.cgroup))
        .namespaces(namespaces()?)
        .masked_paths(strings(MASKED))
        .readonly_paths(strings(READ_ONLY))
        .seccomp(seccomp::profile()?)
        .resources(resources(&settings.limits)?)
        .build()
}

fn namespaces() -> Built<Vec<LinuxNamespace>> {
    use LinuxNamespaceType::{Cgroup, Ipc, Mount, Pid, Uts};
    let mut kinds = vec![Pid, Mount, Ipc, Uts];
    if Path::new("/proc/self/ns/cgroup").exists() {
        kinds.push(Cgroup);
    }
    kinds.into_iter().map(|kind| LinuxNamespaceBuilder::default().typ(kind).build()).collect()
}

fn resources(limits: &Limits) -> Built<LinuxResources> {
    let mut resources = LinuxResourcesBuilder::default().devices(vec![no_devices()?]).build()?;
    if let Some(cpus) = &limits.cpus {
        resources.set_cpu(Some(LinuxCpuBuilder::default().cpus(cpus.as_str()).build()?));
    }
    if let Some(bytes) = limits.memory {
        let mut memory = LinuxMemoryBuilder::default().limit(bytes).build()?;
        if cgroup::limits_swap() {
            // The sum of both: none is left for swap.
            memory.set_swap(Some(bytes));
        }
        resources.set_memory(Some(memory));
    }
    if let Some(pids) = limits.pids {
        resources.set_pids(Some(LinuxPidsBuilder::default().limit(pids).build()?));
    }
    Ok(resources)
}

/// The library permits the harmless ones after this.
fn no_devices() -> Built<LinuxDeviceCgroup> {
    LinuxDeviceCgroupBuilder::default().allow(false).access("rwm").build()
}

/// A mount of a file system: where, which, and how.
type Mounted = (&'static str, &'static str, &'static [&'static str]);

const MOUNTS: &[Mounted] = &[
    ("/proc", "proc", &["nosuid", "noexec", "nodev"]),
    ("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
    ("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
    ("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]),
    // The group 5 is that of terminals.
    ("/dev/pts", "devpts", &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
    ("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
];

fn mount(&(destination, kind, options): &Mounted) -> Built<Mount> {
    MountBuilder::default()
        .destination(destination)
        .typ(kind)
        .source(kind)
        .options(options.iter().map(|&option| option.to_owned()).collect::<Vec<_>>())
        .build()
}
