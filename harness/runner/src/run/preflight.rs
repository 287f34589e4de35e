//! What a comparison needs of the machine, all of it looked at before anything is done.

use std::path::Path;
use std::process::Command;

use nix::sys::resource::{Resource, getrlimit};
use sysinfo::Disks;

use crate::platforms::PLATFORMS;
use crate::sys::affinity::Cpus;
use crate::sys::cgroup::Cgroup;
use crate::sys::conditions;
use crate::sys::finding::Finding;
use crate::sys::linker::library;
use crate::workload::Layout;

/// Free disk space that a first build and its images take, in bytes.
const DISK_NEEDED: u64 = 8_000_000_000;

/// The same where nothing is built, in bytes.
const DISK_NEEDED_INSTALLED: u64 = 2_000_000_000;

/// Open files that a comparison may need at once: connections, logs, the pipes of what it starts.
const FILES_NEEDED: u64 = 512;

/// Looks at everything; at what is built with only where something is to be built here. The folders are those that the run and
/// its report are written to.
pub async fn preflight(layout: &Layout, builds: bool, folders: &[&Path]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if builds && !layout.installed {
        findings.extend([toolchain(layout), targets(layout), c_library()]);
        findings.extend(crateless(&layout.root));
    }
    let temporary = tempfile::env::temp_dir();
    let written = folders.iter().copied().chain([layout.work.as_path(), &temporary]);
    findings.extend(written.filter_map(not_writable));
    findings.extend([disk(layout), cpus()]);
    findings.extend(quota(own_quota()));
    findings.extend(open_files(getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft)));
    findings.extend(conditions::findings().await);
    for platform in PLATFORMS {
        findings.extend(platform.preflight(layout).await);
    }
    findings
}

fn output(layout: &Layout, program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).current_dir(&layout.root).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn toolchain(layout: &Layout) -> Finding {
    match output(layout, "cargo", &["--version"]) {
        Some(version) => Finding::good("Rust toolchain", version),
        None => Finding::missing(
            "Rust toolchain",
            "cargo does not run here",
            "install rustup from https://rustup.rs, then run `rustup toolchain install` in the checkout",
        ),
    }
}

/// The folders under services/ for which cargo refuses the whole workspace: those without a crate that the workspace does not
/// exclude.
fn crateless(root: &Path) -> Option<Finding> {
    let manifest: toml::Table = fs_err::read_to_string(root.join("Cargo.toml")).ok()?.parse().ok()?;
    let excluded = manifest.get("workspace")?.get("exclude").and_then(toml::Value::as_array);
    let excluded: Vec<&str> = excluded.into_iter().flatten().filter_map(toml::Value::as_str).collect();
    let entries = fs_err::read_dir(root.join("services")).ok()?.filter_map(Result::ok);
    let folders = entries.filter(|entry| entry.path().is_dir() && !entry.path().join("Cargo.toml").exists());
    let names = folders.map(|entry| format!("services/{}", entry.file_name().to_string_lossy()));
    let mut names: Vec<String> = names.filter(|name| !excluded.contains(&name.as_str())).collect();
    names.sort();
    (!names.is_empty()).then(|| {
        let detail =
            format!("without a crate: {}; cargo builds nothing of a workspace that lacks one", names.join(", "));
        let remedy =
            "move them elsewhere (--service takes the path of any folder), or name them in `exclude` of Cargo.toml";
        Finding::missing("folders under services/", detail, remedy)
    })
}

/// The targets that the services and hosts are built for.
pub fn needed_targets() -> [String; 3] {
    ["wasm32-wasip1".into(), "wasm32-wasip2".into(), format!("{}-unknown-linux-musl", std::env::consts::ARCH)]
}

fn targets(layout: &Layout) -> Finding {
    let what = "Rust targets";
    let Some(sysroot) = output(layout, "rustc", &["--print", "sysroot"]) else {
        return Finding::missing(what, "rustc does not run here", "run `rustup toolchain install` in the checkout");
    };
    let there = |target: &String| Path::new(&sysroot).join("lib/rustlib").join(target).join("lib").is_dir();
    let missing: Vec<String> = needed_targets().into_iter().filter(|target| !there(target)).collect();
    if missing.is_empty() {
        return Finding::good(what, needed_targets().join(", "));
    }
    let names = missing.join(" ");
    Finding::missing(
        what,
        format!("not installed: {names}"),
        format!("run `rustup target add {names}` in the checkout"),
    )
}

/// A linker and what static binaries are linked with.
fn c_library() -> Finding {
    let what = "static C library";
    let remedy = "install a C compiler and the static C library: `apt-get install gcc libc6-dev` on Debian and Ubuntu, \
                  `dnf install gcc glibc-static` on Fedora, `pacman -S gcc` on Arch";
    match library("libc.a") {
        Err(_) => Finding::missing(what, "there is no C compiler: cc does not run here", remedy),
        Ok(Some(found)) => Finding::good(what, found.display().to_string()),
        Ok(None) => Finding::missing(what, "the C compiler has no libc.a", remedy),
    }
}

fn disk(layout: &Layout) -> Finding {
    let disks = Disks::new_with_refreshed_list();
    let mounts = disks.iter().filter(|disk| layout.home.starts_with(disk.mount_point()));
    let (needed, what) = if layout.installed {
        (DISK_NEEDED_INSTALLED, "runs, images and components compiled ahead")
    } else {
        (DISK_NEEDED, "a first build and its images")
    };
    let Some(disk) = mounts.max_by_key(|disk| disk.mount_point().as_os_str().len()) else {
        let remedy = format!("make sure that {} GB are free", needed / 1_000_000_000);
        return Finding::warning("disk", "free space cannot be read", remedy);
    };
    let free = disk.available_space();
    #[expect(clippy::cast_precision_loss, reason = "a rounded figure for a human")]
    let detail = format!("{:.1} GB free at {}", free as f64 / 1e9, disk.mount_point().display());
    if free < needed {
        return Finding::warning("disk", detail, format!("{what} take up to {} GB: make room", needed / 1_000_000_000));
    }
    Finding::good("disk", detail)
}

/// Whether nothing can be written to a folder, which need not be there yet.
fn not_writable(folder: &Path) -> Option<Finding> {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.into());
    let there = folder.ancestors().find(|folder| folder.symlink_metadata().is_ok())?;
    // A file without a name: nothing is left of it, whatever happens.
    let error = tempfile::tempfile_in(there).err()?;
    let detail = format!("nothing can be written to {}: {error}", there.display());
    let remedy = if folder == tempfile::env::temp_dir() {
        "name a folder that can be written to in TMPDIR"
    } else {
        "make it writable, or name another (--results, --reports)"
    };
    Some(Finding::missing("folders", detail, remedy))
}

/// The quota of this process's cgroup, in CPUs.
pub fn own_quota() -> Option<f64> {
    Cgroup::of(std::process::id().cast_signed()).ok()?.cpu_quota()
}

/// What a quota on the CPU time of this process and of what it starts means; nothing where there is none that matters.
pub fn quota(cpus: Option<f64>) -> Option<Finding> {
    let used = Cpus::detect()
        .map_or(1, |cpus| if cpus.are_separate() { cpus.generator.len() + cpus.subject.len() } else { 1 });
    let cpus = cpus.filter(|cpus| *cpus < used as f64)?;
    Some(Finding::warning(
        "CPU quota",
        format!(
            "this process and what it starts may use {cpus:.2} CPUs at a time of the {used} that it runs on; an engine's \
             containers lie outside of that quota, so that plain processes and Wasm hosts are slowed and containers are not"
        ),
        "run without a quota (`docker run` without --cpus, a systemd unit without CPUQuota), and mistrust what compares \
         containers with anything else under load",
    ))
}

fn open_files(limit: u64) -> Option<Finding> {
    (limit < FILES_NEEDED).then(|| {
        let detail = format!("this process may have {limit} files open, and needs up to {FILES_NEEDED}");
        Finding::missing("open files", detail, format!("run `ulimit -n {}` before", 2 * FILES_NEEDED))
    })
}

fn cpus() -> Finding {
    match Cpus::detect() {
        Ok(cpus) if cpus.are_separate() => {
            let detail = format!("load generator on {:?}, subjects on {:?}", cpus.generator, cpus.subject);
            Finding::good("CPUs", detail)
        }
        Ok(_) => Finding::warning(
            "CPUs",
            "only one: the load generator and what it loads must share it",
            "use a machine with two CPUs or more; figures under load are not to be believed here",
        ),
        Err(error) => Finding::missing("CPUs", format!("{error:#}"), "run on Linux"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::finding::Level;

    #[test]
    fn a_folder_need_not_be_there_but_must_be_writable() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(not_writable(&root.path().join("a/b")), None);
        let file = root.path().join("file");
        fs_err::write(&file, "").unwrap();
        let found = not_writable(&file.join("results")).unwrap();
        assert_eq!(found.level, Level::Missing);
        assert!(found.detail.contains("file"), "{}", found.detail);
        assert_eq!(fs_err::read_dir(root.path()).unwrap().count(), 1, "nothing is left of the attempt");
    }

    #[test]
    fn a_quota_matters_where_it_is_less_than_the_cpus() {
        assert_eq!((quota(None), quota(Some(1e6))), (None, None));
        assert_eq!(quota(Some(0.5)).unwrap().level, Level::Warning);
    }

    #[test]
    fn a_folder_for_which_cargo_builds_nothing_is_named() {
        let root = tempfile::tempdir().unwrap();
        for path in ["services/auth", "services/wit", "services/x y"] {
            fs_err::create_dir_all(root.path().join(path)).unwrap();
        }
        fs_err::write(root.path().join("services/auth/Cargo.toml"), "").unwrap();
        fs_err::write(root.path().join("Cargo.toml"), "[workspace]\nexclude = [\"services/wit\"]\n").unwrap();
        let detail = crateless(root.path()).unwrap().detail;
        assert!(detail.starts_with("without a crate: services/x y;"), "{detail}");
    }

    #[test]
    fn few_open_files_are_told() {
        assert_eq!(open_files(1024), None);
        assert_eq!(open_files(64).unwrap().level, Level::Missing);
    }
}
