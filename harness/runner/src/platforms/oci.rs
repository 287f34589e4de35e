//! The container without an engine: the same root file system and hardening as `docker/scratch-glibc`, started by the
//! project's own small program around an OCI runtime library.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail, ensure};
use async_trait::async_trait;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{AccessFlags, Uid, access};
use tare_model::{ArtifactRecord, Side};

use super::process::{Process, Program};
use super::{
    Common, End, Entry, Instance, Isolation, Launched, MEMORY_LIMIT, Platform, Processes, Replicas, RunContext,
    Separate, Startup, Target, Variant, leftovers,
};
use crate::artifacts::{Product, artifact, compressed_size, file_size};
use crate::sys::affinity;
use crate::sys::cgroup::{self, Cgroup};
use crate::sys::finding::Finding;
use crate::sys::linker::library;
use crate::workload::{Implementation, Layout, Source, Workload};

const NAME: &str = "oci";

/// What preflight calls it.
const WHAT: &str = "containers without an engine";

/// The program in the container's root.
const ENTRY: &str = "service";

/// The platform.
pub struct Oci;

struct Scratch;

const ENTRY_OF_SCRATCH: Entry = Entry::new(
    NAME,
    "scratch-glibc",
    "the root of docker/scratch-glibc, by an OCI runtime without an engine, host network: the container itself",
)
.differs("docker", "scratch-glibc", "no engine: the container by its runtime alone");

#[async_trait(?Send)]
impl Platform for Oci {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a container by an OCI runtime, without an engine"
    }

    fn side(&self) -> Option<Side> {
        Some(Side::Container)
    }

    fn variants(&self) -> &'static [&'static dyn Variant] {
        &[&Scratch]
    }

    async fn preflight(&self, layout: &Layout) -> Vec<Finding> {
        let mut findings = obstacles();
        // What is built here links it; what was built elsewhere loads it.
        let (library, missing, package) = if layout.installed {
            (loaded(SECCOMP), "libseccomp is missing", ["libseccomp2", "libseccomp"])
        } else {
            (seccomp(), "libseccomp's development files are missing", ["libseccomp-dev", "libseccomp-devel"])
        };
        match library {
            Some(library) if findings.is_empty() => {
                findings.push(Finding::good(WHAT, format!("may be made, with {library}")));
            }
            Some(_) => {}
            None => {
                let [debian, fedora] = package;
                let remedy = format!(
                    "install it (`apt-get install {debian}` on Debian and Ubuntu, `dnf install {fedora}` on Fedora); the \
                     cells of this platform are marked otherwise"
                );
                findings.push(Finding::warning(WHAT, missing, remedy));
            }
        }
        findings
    }
}

#[async_trait(?Send)]
impl Variant for Scratch {
    fn entry(&self) -> &Entry {
        &ENTRY_OF_SCRATCH
    }

    fn takes(&self, implementation: &Implementation) -> Option<Vec<Product>> {
        matches!(implementation.source, Source::Workspace { .. }).then(|| vec![Product::StaticBinary, Product::Starter])
    }

    fn isolation(&self) -> Isolation {
        Isolation::CONTAINER_ON_HOST_NETWORK
    }

    async fn prepare(&self, context: &Rc<RunContext>, workload: Workload<'_>) -> Result<Box<dyn Target>> {
        let obstacles = obstacles().into_iter();
        let obstacles: Vec<String> =
            obstacles.map(|found| format!("{}: {}", found.detail, found.remedy.unwrap_or_default())).collect();
        ensure!(obstacles.is_empty(), "{}", obstacles.join("; "));
        let name = workload.to_string();
        let starter = context.products.file(Product::Starter, &name)?.to_owned();
        let binary = context.products.file(Product::StaticBinary, &name)?.to_owned();
        let root = context.layout.work.join("oci").join(workload.slug());
        fs_err::create_dir_all(&root)?;
        // Whatever the umask: the container's user is not the one that it belongs to.
        let everybody = || PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(&root, everybody())?;
        // A copy, as an image has one: a link would share its page cache with the plain process. Put into place whole, since
        // another comparison may be running the one that is there.
        let new = root.join(format!(".{ENTRY}-{}", std::process::id()));
        fs_err::copy(&binary, &new)?;
        fs_err::set_permissions(&new, everybody())?;
        fs_err::rename(&new, root.join(ENTRY))?;
        Ok(Box::new(OciTarget { common: Common::new(context, workload, &ENTRY_OF_SCRATCH), starter, binary, root }))
    }
}

/// The library as programs load it.
const SECCOMP: &str = "libseccomp.so.2";

/// A library's name where the machine's usual folders have it; `None` where they do not.
fn loaded(name: &str) -> Option<String> {
    let folders = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"].map(PathBuf::from);
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let all = folders.iter().flat_map(|folder| [folder.clone(), folder.join(&triple)]);
    all.map(|folder| folder.join(name)).any(|file| file.exists()).then(|| name.to_owned())
}

/// What keeps this user from making containers.
fn obstacles() -> Vec<Finding> {
    if !Uid::effective().is_root() {
        return vec![Finding::warning(WHAT, "this user is not root", "run as root")];
    }
    let remedy = "run outside of a container";
    let mut found = Vec::new();
    // The namespace ends with its thread.
    if let Ok(Err(error)) = std::thread::spawn(|| unshare(CloneFlags::CLONE_NEWNS)).join() {
        found.push(Finding::warning(WHAT, format!("root may not make namespaces here ({error})"), remedy));
    }
    let is_writable = |root: &PathBuf| access(root, AccessFlags::W_OK).is_ok();
    if !cgroup::roots().is_ok_and(|roots| roots.iter().any(is_writable)) {
        found.push(Finding::warning(WHAT, "root may not make cgroups here", remedy));
    }
    found
}

/// The file of libseccomp, whose name ends in its version; `None` where it cannot be linked.
fn seccomp() -> Option<String> {
    Some(library("libseccomp.so").ok()??.file_name()?.to_string_lossy().into_owned())
}

struct OciTarget {
    common: Common,
    starter: PathBuf,
    binary: PathBuf,
    root: PathBuf,
}

/// Distinguishes the containers of this process.
static CONTAINERS: AtomicU64 = AtomicU64::new(0);

impl OciTarget {
    fn args(&self) -> Vec<String> {
        let context = &self.common.context;
        let number = CONTAINERS.fetch_add(1, Ordering::Relaxed);
        let mut args = Vec::new();
        for (name, value) in [
            ("--rootfs", self.root.display().to_string()),
            ("--state", leftovers::state(&context.layout).display().to_string()),
            ("--cgroup", format!("{}/{number}", leftovers::cgroup())),
            ("--id", format!("{}-{number}", std::process::id())),
            ("--cpus", affinity::list(&context.cpus.subject)),
            ("--memory", self.common.memory_limit.unwrap_or(MEMORY_LIMIT).to_string()),
            ("--pids", self.common.pids_limit.to_string()),
        ] {
            args.extend([name.to_owned(), value]);
        }
        for (name, value) in self.common.env_listening_on("127.0.0.1:0") {
            args.extend(["--env".to_owned(), format!("{name}={value}")]);
        }
        args.extend(["--".to_owned(), format!("/{ENTRY}")]);
        args
    }
}

#[async_trait(?Send)]
impl Target for OciTarget {
    fn artifacts(&self) -> Vec<ArtifactRecord> {
        let files = [("binary", &self.binary), ("starter", &self.starter)];
        let record =
            |(kind, path): (&str, &PathBuf)| artifact(kind, self.common.context.layout.relative(path), path).ok();
        files.into_iter().filter_map(record).collect()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let devices = if cgroup::hierarchy().is_ok_and(|hierarchy| hierarchy == "v2") {
            "the harmless ones; others for want of capabilities only"
        } else {
            "the harmless ones; others are denied by the cgroup"
        };
        let mut settings = vec![
            ("link", "static, glibc".to_owned()),
            ("base", "empty".to_owned()),
            ("network", "host, listening on 127.0.0.1".to_owned()),
            ("cpus", affinity::list(&self.common.context.cpus.subject)),
            ("memory limit", self.common.memory_limit.unwrap_or(MEMORY_LIMIT).to_string()),
            ("pids limit", self.common.pids_limit.to_string()),
            (
                "hardening",
                "read-only root, no capabilities, no new privileges, user 65534, seccomp by the list of Docker's default"
                    .to_owned(),
            ),
            ("devices", devices.to_owned()),
            ("apparmor", "no profile".to_owned()),
            ("resource limits", "the harness's own".to_owned()),
        ];
        let library = if self.common.context.layout.installed { loaded(SECCOMP) } else { seccomp() };
        settings.extend(library.map(|library| ("seccomp library", library)));
        settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        let (bytes, starter) = (file_size(&self.binary)?, file_size(&self.starter)?);
        let compressed = compressed_size(&self.binary)?;
        Ok(vec![("artifact", bytes), ("compressed", compressed), ("engine", starter), ("total", bytes + starter)])
    }

    async fn launch(&self) -> Result<Launched> {
        let Common { context, probe, .. } = &self.common;
        let deadline = self.common.deadline();
        let program = Program {
            path: &self.starter,
            args: self.args(),
            env: BTreeMap::new(),
            folder: None,
            commands: false,
            // To make containers; what is in them runs as nobody.
            as_nobody: false,
            log: self.common.log(),
        };
        let (mut process, began) = Process::start(program, &context.cpus, &context.cancel)?;
        let (addr, marks) = process.listening_after("start", deadline, &context.cancel)?;
        let answered = probe.ask(addr, deadline, &mut || context.cancel.given_up())?;
        let cgroup = Cgroup::of(only_child(process.pid())?)?;
        let instance = Box::new(OciInstance { process, addr, cgroup });
        Ok(Launched { instance, startup: Startup::new(began, marks, answered) })
    }

    fn replicas(&self) -> Result<Box<dyn Replicas + '_>> {
        Ok(Separate::of(self, Vec::new()))
    }
}

/// The container's first process.
fn only_child(starter: i32) -> Result<i32> {
    let path = format!("/proc/{starter}/task/{starter}/children");
    let text = fs_err::read_to_string(&path)?;
    let mut children = text.split_whitespace();
    match (children.next(), children.next()) {
        (Some(child), None) => Ok(child.parse()?),
        _ => bail!("{path} names not one process but `{}`", text.trim()),
    }
}

struct OciInstance {
    process: Process,
    addr: SocketAddr,
    cgroup: Cgroup,
}

#[async_trait(?Send)]
impl Instance for OciInstance {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn processes(&self) -> Result<Processes> {
        Ok(Processes { service: self.cgroup.processes()?, engine: vec![self.process.pid()] })
    }

    fn cgroup(&self) -> Option<&Cgroup> {
        Some(&self.cgroup)
    }

    async fn ended(&mut self) -> Result<Option<End>> {
        self.process.ended()
    }

    async fn stop(self: Box<Self>) -> Result<()> {
        self.process.stop()
    }
}
