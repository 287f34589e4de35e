//! The container without an engine: the same root file system and hardening as `docker/scratch-glibc`, started by the
//! project's own small program around an OCI runtime library.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail, ensure};
use async_trait::async_trait;
use serde::Deserialize;
use tare_model::ArtifactRecord;

use super::{
    Beside, Colony, Common, Instance, Isolation, Launched, MEMORY_LIMIT, PIDS_LIMIT, Platform, Processes, Role,
    Separate, Startup, Target, Variant, World,
};
use crate::affinity;
use crate::build::{Product, artifact, compressed_size, file_size};
use crate::engine::Cgroup;
use crate::layout::{Layout, Service};
use crate::preflight::{Finding, library};
use crate::process::{Process, Program};

const NAME: &str = "oci";

/// The program in the container's root.
const ENTRY: &str = "service";

/// See the module.
pub struct Oci;

const VARIANTS: &[Variant] = &[Variant {
    name: "scratch-glibc",
    summary: "the root of docker/scratch-glibc, by an OCI runtime without an engine, host network: the container itself",
    products: &[Product::StaticBinary, Product::Starter],
    role: Role::Headline,
    beside: Some(Beside { setting: "docker/scratch-glibc", what: "no engine: the container by its runtime alone" }),
}];

#[async_trait(?Send)]
impl Platform for Oci {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a container by an OCI runtime, without an engine"
    }

    fn variants(&self) -> &'static [Variant] {
        VARIANTS
    }

    fn isolation(&self, _: &Variant) -> Isolation {
        Isolation::CONTAINER_ON_HOST_NETWORK
    }

    async fn preflight(&self) -> Vec<Finding> {
        let what = "containers without an engine";
        if !matches!(library("libseccomp.so"), Ok(Some(_))) {
            let remedy = "install them (`apt-get install libseccomp-dev` on Debian and Ubuntu, `dnf install \
                          libseccomp-devel` on Fedora); the cells of this platform are marked otherwise";
            return vec![Finding::warning(what, "libseccomp's development files are missing", remedy)];
        }
        if nix::unistd::Uid::effective().is_root() {
            return Vec::new();
        }
        vec![Finding::warning(
            what,
            "this user is not root",
            "run as root to have them; their cells are marked otherwise",
        )]
    }

    async fn prepare(&self, world: &Rc<World>, service: &Service, variant: &Variant) -> Result<Box<dyn Target>> {
        let starter = world.products.file(Product::Starter, &service.name)?.to_owned();
        let binary = world.products.file(Product::StaticBinary, &service.name)?.to_owned();
        let state = state(&world.layout);
        fs_err::create_dir_all(&state)?;
        ask(&starter, &["clean", "--state"], &state).context("what dead containers left cannot be removed")?;
        let limits = usable(&starter)?;
        let root = world.layout.work().join("oci").join(&service.name);
        fs_err::create_dir_all(&root)?;
        // A copy, as an image has one: a link would share its page cache with the plain process. Put into place whole, since
        // another comparison may be running the one that is there.
        let new = root.join(format!(".{ENTRY}-{}", std::process::id()));
        fs_err::copy(&binary, &new)?;
        fs_err::rename(&new, root.join(ENTRY))?;
        Ok(Box::new(OciTarget {
            common: Common::new(world, service, NAME, variant),
            starter,
            binary,
            root,
            state,
            limits,
        }))
    }
}

/// Where the runtime keeps what it must know of its containers.
fn state(layout: &Layout) -> PathBuf {
    layout.work().join("oci-state")
}

/// What the starter says of this machine.
#[derive(Deserialize)]
struct Checked {
    usable: bool,
    /// Whether limits on memory, CPUs and processes are kept: without rights to a cgroup they are left out.
    #[serde(default)]
    limits: bool,
    #[serde(default)]
    reason: String,
}

/// Whether limits are kept.
///
/// # Errors
/// Containers cannot be started here, with the reason.
fn usable(starter: &Path) -> Result<bool> {
    let output = Command::new(starter).arg("check").output()?;
    let said: Checked = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} said nothing that can be understood", starter.display()))?;
    ensure!(said.usable, "{}", said.reason);
    Ok(said.limits)
}

fn ask(starter: &Path, args: &[&str], path: &Path) -> Result<()> {
    let output = Command::new(starter).args(args).arg(path).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

struct OciTarget {
    common: Common,
    starter: PathBuf,
    binary: PathBuf,
    root: PathBuf,
    state: PathBuf,
    limits: bool,
}

/// Distinguishes the containers of this process.
static CONTAINERS: AtomicU64 = AtomicU64::new(0);

impl OciTarget {
    fn args(&self) -> Vec<String> {
        let world = &self.common.world;
        let id = format!("{}-{}", std::process::id(), CONTAINERS.fetch_add(1, Ordering::Relaxed));
        let mut args = vec!["run".to_owned()];
        for (name, value) in [
            ("--rootfs", self.root.display().to_string()),
            ("--state", self.state.display().to_string()),
            ("--id", id),
            ("--cpus", affinity::list(&world.cpus.subject)),
            ("--memory", MEMORY_LIMIT.to_string()),
            ("--pids", PIDS_LIMIT.to_string()),
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
            |(kind, path): (&str, &PathBuf)| artifact(kind, self.common.world.layout.relative(path), path).ok();
        files.into_iter().filter_map(record).collect()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let limit = |limit: u64| if self.limits { limit.to_string() } else { "none".to_owned() };
        let settings = [
            ("base", "empty".to_owned()),
            ("network", "host, listening on 127.0.0.1".to_owned()),
            ("cpus", affinity::list(&self.common.world.cpus.subject)),
            ("memory limit", limit(MEMORY_LIMIT)),
            ("pids limit", limit(PIDS_LIMIT.into())),
            (
                "hardening",
                "read-only root, no capabilities, no new privileges, user 65534, seccomp by the list of Docker's default"
                    .to_owned(),
            ),
        ];
        settings.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        let (bytes, starter) = (file_size(&self.binary)?, file_size(&self.starter)?);
        let compressed = compressed_size(&self.binary)?;
        Ok(vec![("artifact", bytes), ("compressed", compressed), ("engine", starter), ("total", bytes + starter)])
    }

    async fn launch(&self) -> Result<Launched> {
        let Common { world, probe, .. } = &self.common;
        let program = Program {
            path: &self.starter,
            args: self.args(),
            env: BTreeMap::new(),
            commands: false,
            log: self.common.log(),
        };
        let (mut process, began) = Process::start(program, &world.cpus)?;
        let (addr, mut marks) = process.listening(world.start_timeout, &world.cancel)?;
        let answered = probe.ask(addr, world.start_timeout)?;
        for (phase, _) in &mut marks {
            *phase = renamed(phase).to_owned();
        }
        let pid = only_child(process.pid())?;
        let instance = Box::new(OciInstance { process, addr, pid, cgroup: Cgroup::of(pid)? });
        Ok(Launched { instance, startup: Startup::new(began, marks, answered) })
    }

    fn colony(&self) -> Result<Box<dyn Colony + '_>> {
        Ok(Separate::of(self, Vec::new()))
    }
}

/// The name of a phase: the program's own beginning ends the container's start, the starter's ends the spawn.
fn renamed(phase: &str) -> &str {
    match phase {
        "spawn" => "start",
        "runtime" => "spawn",
        other => other,
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
    pid: i32,
    cgroup: Cgroup,
}

#[async_trait(?Send)]
impl Instance for OciInstance {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn processes(&self) -> Result<Processes> {
        Ok(Processes { service: vec![self.pid], engine: vec![self.process.pid()] })
    }

    fn cgroup(&self) -> Option<&Cgroup> {
        Some(&self.cgroup)
    }

    async fn ended(&mut self) -> Result<Option<String>> {
        self.process.ended()
    }

    async fn stop(self: Box<Self>) -> Result<()> {
        self.process.stop()
    }
}
