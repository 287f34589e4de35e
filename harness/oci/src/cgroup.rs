//! The cgroups of containers, which the library makes and fills.

use std::path::Path;

/// Where the hierarchies are mounted on every distribution.
const ROOT: &str = "/sys/fs/cgroup";

/// Whether there is one hierarchy for all controllers (version 2), rather than one for each.
fn is_unified() -> bool {
    Path::new(ROOT).join("cgroup.controllers").exists()
}

/// Whether the use of swap can be limited: version 1 counts it only if told so when the system starts.
pub(crate) fn limits_swap() -> bool {
    if is_unified() {
        // Without any swap some kernels lack the file that limits it.
        fs_err::read_to_string("/proc/swaps").is_ok_and(|swaps| swaps.lines().count() > 1)
    } else {
        Path::new(ROOT).join("memory/memory.memsw.limit_in_bytes").exists()
    }
}

/// Whether the kernel has killed a process in a cgroup for going over the memory limit, as far as it tells.
pub(crate) fn went_over_memory(cgroup: &Path) -> bool {
    let (hierarchy, file) = if is_unified() { ("", "memory.events") } else { ("memory", "memory.oom_control") };
    let file = Path::new(ROOT).join(hierarchy).join(cgroup).join(file);
    let counts = fs_err::read_to_string(file).unwrap_or_default();
    counts.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|kills| kills != "0"))
}
