//! What a comparison needs of the machine, all of it looked at before anything is done.

use std::path::Path;
use std::process::Command;

use sysinfo::Disks;

use crate::platforms::PLATFORMS;
use crate::sys::affinity::Cpus;
use crate::sys::conditions;
use crate::sys::finding::Finding;
use crate::sys::linker::library;
use crate::workload::Layout;

/// Free disk space that a first build and its images take, in bytes.
const DISK_NEEDED: u64 = 8_000_000_000;

/// The same where nothing is built, in bytes.
const DISK_NEEDED_INSTALLED: u64 = 2_000_000_000;

/// Looks at everything; at what is built with only where something is to be built here.
pub async fn preflight(layout: &Layout, builds: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if builds && !layout.installed {
        findings.extend([toolchain(layout), targets(layout), c_library()]);
    }
    findings.extend([disk(layout), cpus()]);
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
