//! Whether containers can be started here.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::Uid;
use serde_json::json;

use crate::cgroup;

/// Why not, for users that are not root where each controller of cgroups has its own hierarchy.
pub(crate) const NEEDS_ROOT: &str = "containers need root here, since cgroups of version 1 cannot be handed to other \
     users: run as root, or start the system with systemd.unified_cgroup_hierarchy=1";

/// The bit of the capability to mount and to make namespaces, as in `linux/capability.h`.
const CAP_SYS_ADMIN: u64 = 1 << 21;

/// Says so in one line of JSON.
pub(crate) fn execute() -> Result<ExitCode> {
    let root = Uid::effective().is_root();
    let verdict = match obstacle(root) {
        Some(reason) => json!({ "usable": false, "reason": reason }),
        // Without root the limits are left out.
        None => json!({ "usable": true, "limits": root }),
    };
    writeln!(std::io::stdout(), "{verdict}")?;
    Ok(ExitCode::SUCCESS)
}

fn obstacle(root: bool) -> Option<String> {
    if root { of_root() } else { of_others() }
}

fn of_root() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if capabilities(&status) & CAP_SYS_ADMIN == 0 {
        return Some("root lacks the capability SYS_ADMIN, as in a container: run outside of it".into());
    }
    if !cgroup::is_writable() {
        return Some("the cgroups below /sys/fs/cgroup cannot be written to: run outside of a container".into());
    }
    None
}

fn capabilities(status: &str) -> u64 {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Tries it, since a kernel has several ways to forbid it.
fn of_others() -> Option<String> {
    if !cgroup::is_unified() {
        return Some(NEEDS_ROOT.into());
    }
    // Some systems permit the namespace of users and nothing in it.
    let tried = unshare(CloneFlags::CLONE_NEWUSER).and_then(|()| unshare(CloneFlags::CLONE_NEWNS));
    let error = tried.err()?;
    let forbidding = [
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("user.max_user_namespaces", "0", "15000"),
    ];
    let remedy = forbidding
        .iter()
        .find(|(name, forbids, _)| setting(name).as_deref() == Some(*forbids))
        .map_or("run as root".to_owned(), |(name, _, permits)| {
            format!("run as root, or permit it by `sysctl -w {name}={permits}`")
        });
    Some(format!("users that are not root may not make user namespaces here ({error}): {remedy}"))
}

fn setting(name: &str) -> Option<String> {
    let file = Path::new("/proc/sys").join(name.replace('.', "/"));
    Some(std::fs::read_to_string(file).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_from_the_status() {
        assert_eq!(capabilities("Name:\tx\nCapEff:\t000001ffffffffff\n") & CAP_SYS_ADMIN, CAP_SYS_ADMIN);
        assert_eq!(capabilities("CapEff:\t00000000a80425fb\n") & CAP_SYS_ADMIN, 0);
        assert_eq!(capabilities(""), 0);
    }
}
