//! Facts of the machine and the checkout for a run's record.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};
use tare_model::Host;

use super::cgroup;
use super::conditions::conditions;

/// The machine, as far as it can be read.
pub fn host() -> Host {
    let wanted =
        RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()).with_memory(MemoryRefreshKind::everything());
    let system = System::new_with_specifics(wanted);
    Host {
        os: System::long_os_version().unwrap_or_default(),
        kernel: System::kernel_version().unwrap_or_default(),
        arch: System::cpu_arch(),
        cpu: system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default(),
        cpus: system.cpus().len(),
        memory_bytes: system.total_memory(),
        load_average: System::load_average().one,
        cgroup: cgroup::hierarchy().map_or("none", |hierarchy| hierarchy).to_owned(),
        conditions: conditions(),
    }
}

/// The versions of what builds, by name.
pub fn versions(root: &Path) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::from([("tare".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    let rustc = output(root, "rustc", &["--version"]);
    versions.extend(rustc.map(|version| ("rustc".to_owned(), version.trim_start_matches("rustc ").to_owned())));
    for library in ["wasmtime", "wasmer", "libcontainer"] {
        versions.extend(locked(root, library).map(|version| (library.to_owned(), version)));
    }
    versions
}

/// The version of a package in the lock file.
fn locked(root: &Path, package: &str) -> Option<String> {
    let lock: toml::Table = fs_err::read_to_string(root.join("Cargo.lock")).ok()?.parse().ok()?;
    let packages = lock.get("package")?.as_array()?.iter();
    let mut found = packages.filter(|entry| entry.get("name").and_then(toml::Value::as_str) == Some(package));
    Some(found.next()?.get("version")?.as_str()?.to_owned())
}

/// The commit of the checkout, with `-dirty` where tracked files were changed.
pub fn git_commit(root: &Path) -> Option<String> {
    let commit = output(root, "git", &["rev-parse", "HEAD"])?;
    let changed = output(root, "git", &["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit}-dirty") })
}

fn output(root: &Path, program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).current_dir(root).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
