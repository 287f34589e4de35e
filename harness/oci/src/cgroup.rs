//! The cgroups of containers, which the library makes and fills.

use std::path::{Path, PathBuf};

use fs_err as fs;
use nix::unistd::{AccessFlags, access};

/// Where the hierarchies are mounted on every distribution.
const ROOT: &str = "/sys/fs/cgroup";
/// The cgroup that holds those of all containers.
const PARENT: &str = "tare";

/// The path of a container's cgroup in every hierarchy.
pub(crate) fn path(id: &str) -> PathBuf {
    Path::new("/").join(PARENT).join(id)
}

/// Whether there is one hierarchy for all controllers (version 2), rather than one for each.
pub(crate) fn is_unified() -> bool {
    Path::new(ROOT).join("cgroup.controllers").exists()
}

/// Whether the use of swap can be limited: version 1 counts it only if told so when the system starts.
pub(crate) fn limits_swap() -> bool {
    if is_unified() {
        // Without any swap some kernels lack the file that limits it.
        std::fs::read_to_string("/proc/swaps").is_ok_and(|swaps| swaps.lines().count() > 1)
    } else {
        Path::new(ROOT).join("memory/memory.memsw.limit_in_bytes").exists()
    }
}

/// Whether cgroups can be made, going by what the file system allows this user.
pub(crate) fn is_writable() -> bool {
    hierarchies().iter().any(|hierarchy| access(hierarchy, AccessFlags::W_OK).is_ok())
}

/// Removes the cgroups of containers whose processes are gone. The kernel keeps those that have any.
pub(crate) fn remove_empty() {
    for cgroup in hierarchies().iter().flat_map(|root| folders(&root.join(PARENT))) {
        let _ = std::fs::remove_dir(cgroup);
    }
}

/// Where the hierarchies are mounted, without the second names that some have.
fn hierarchies() -> Vec<PathBuf> {
    if is_unified() {
        return vec![ROOT.into()];
    }
    folders(Path::new(ROOT)).filter(|folder| folder.join("cgroup.procs").exists()).collect()
}

fn folders(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}
