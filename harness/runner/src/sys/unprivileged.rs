//! A thread that has given up root: what is started from it runs as nobody, as in a container. The kernel knows users by thread,
//! and a thread that is someone else starts a program as quickly as any other, where a child that changes its user would need a
//! fork of the whole harness, whose time would be measured.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

use anyhow::{Context, Result, anyhow};
use rustix::thread::{Gid, Uid};
use rustix::thread::{set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// `nobody`: no account of the machine or of an image runs anything under it.
pub const NOBODY: u32 = 65534;

type Work = Box<dyn FnOnce() + Send>;

/// Does something as nobody, and waits for it.
///
/// # Errors
/// This process is not root, or the kernel refuses.
pub fn as_nobody<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    static THREAD: OnceLock<Result<Sender<Work>, String>> = OnceLock::new();
    let thread = THREAD.get_or_init(|| start().map_err(|error| format!("{error:#}")));
    let thread = thread.as_ref().map_err(|error| anyhow!("{error}"))?;
    let (done, result) = channel();
    let work = Box::new(move || drop(done.send(work())));
    thread.send(work).ok().context("the thread of nobody has ended")?;
    result.recv().context("the thread of nobody has ended")
}

fn start() -> Result<Sender<Work>> {
    let (sender, work) = channel::<Work>();
    let (told, ready) = channel();
    std::thread::spawn(move || {
        let given_up = give_up_root();
        let is_ready = given_up.is_ok();
        let _ = told.send(given_up);
        if is_ready {
            for work in work {
                work();
            }
        }
    });
    ready.recv().context("no thread can be made")??;
    Ok(sender)
}

/// For this thread, for good.
fn give_up_root() -> Result<()> {
    let refused = || "this process cannot start anything as nobody";
    set_no_new_privs(true).with_context(refused)?;
    set_thread_groups(&[]).with_context(refused)?;
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    set_thread_res_gid(group, group, group).with_context(refused)?;
    set_thread_res_uid(user, user, user).with_context(refused)
}

/// Whether nobody may read a file, and run it where it may be run: by the permissions that all users have, on the way to it too.
pub fn is_open_to_nobody(file: &Path) -> bool {
    let Ok(file) = fs_err::canonicalize(file) else { return false };
    let has = |path: &Path, wanted: u32| {
        fs_err::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & wanted == wanted)
    };
    let mode = fs_err::metadata(&file).map_or(0, |metadata| metadata.permissions().mode());
    // Who may run it needs not be everybody's concern if nobody may at all.
    let wanted = if mode & 0o111 == 0 { 0o004 } else { 0o005 };
    has(&file, wanted) && file.ancestors().skip(1).all(|folder| has(folder, 0o001))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::print_stderr, reason = "a test that did not run must not look like one that passed")]
    fn what_is_started_as_nobody_is_nobody_and_this_process_stays_who_it_is() {
        if !nix::unistd::Uid::effective().is_root() {
            eprintln!("\n*** SKIPPED: only root can give up root\n");
            return;
        }
        let status = as_nobody(|| {
            let output = std::process::Command::new("cat").arg("/proc/self/status").output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        });
        let status = status.unwrap();
        for line in [
            "Uid:\t65534\t65534\t65534\t65534",
            "Gid:\t65534\t65534\t65534\t65534",
            "CapEff:\t0000000000000000",
            "NoNewPrivs:\t1",
        ] {
            assert!(status.contains(line), "{line}: {status}");
        }
        assert!(status.lines().any(|line| line.trim_end() == "Groups:"), "{status}");
        assert!(nix::unistd::Uid::effective().is_root());
        assert!(
            std::process::Command::new("test").args(["-w", "/proc/self/oom_score_adj"]).status().unwrap().success()
        );
    }

    #[test]
    fn a_file_is_open_to_nobody_if_the_way_to_it_is() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs_err::write(&file, "").unwrap();
        let set = |path: &Path, mode| fs_err::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        for (folder, mode, is_open) in
            [(0o711, 0o644, true), (0o700, 0o644, false), (0o711, 0o640, false), (0o711, 0o744, false)]
        {
            set(root.path(), folder);
            set(&file, mode);
            assert_eq!(is_open_to_nobody(&file), is_open, "{folder:o} {mode:o}");
        }
        assert!(!is_open_to_nobody(&root.path().join("other")));
    }
}
