//! Starting, measuring and removing the containers of one subject.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use tare_model::{ArtifactRecord, Group};
use tare_protocol::Event;

use super::super::process::marks;
use super::super::target::Common;
use super::super::wasm::{INSTANTIATE, recorded_settings};
use super::super::{Cause, End, Instance, Launched, Processes, Replicas, Separate, Startup, Target};
use super::content::{Command, Filled, Start};
use crate::artifacts::file_size;
use crate::engine::{
    Container, ContainerSpec, Daemons, Engine, Exit, Hardening, Layer, Network, Pinning, RunOwner, pin, processes_of,
};
use crate::sys::affinity;
use crate::sys::cancel::Cancel;
use crate::sys::cgroup::Cgroup;
use crate::sys::clock::monotonic_ns;
use crate::sys::listeners::reachable_from_elsewhere;

/// Time between two attempts at a first answer. The engine needs the CPU meanwhile, so the probe sleeps; on a start of
/// tens of milliseconds it adds a quarter of a millisecond at most.
const PAUSE: Duration = Duration::from_micros(200);
/// How long the probe goes on before the engine is asked whether the container still runs, and then again and again.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the log may lag behind the first answer.
const LOG_LAG: Duration = Duration::from_millis(300);

/// A subject's image and what its containers are started with.
pub(super) struct DockerTarget {
    pub(super) common: Common,
    /// Whether its port is published on a bridge.
    pub(super) bridged: bool,
    pub(super) engine: Engine,
    /// The engine's own settings that move numbers.
    pub(super) engine_settings: BTreeMap<String, String>,
    pub(super) filled: Filled,
    /// Its layers, or why they could not be read.
    pub(super) layers: Result<Vec<Layer>, String>,
    /// The engine's program files.
    pub(super) programs: Vec<PathBuf>,
}

/// What an image that did not come up may lack.
const NEEDS: &str = "it was started as an unprivileged user, without capabilities, on a read-only root: if it needs more, \
                     say so by `needs` in its service.toml or by --needs";

/// Distinguishes the containers of a run.
static CONTAINERS: AtomicU64 = AtomicU64::new(0);

impl DockerTarget {
    /// The container, and where it answers once it runs.
    fn spec(&self) -> Result<(ContainerSpec, SocketAddr)> {
        let Common { context, subject, pids_limit, .. } = &self.common;
        let Command { env, args, listens, reached } = self.filled.command(&self.common, self.bridged)?;
        let bridge = Network::Bridge { container_port: listens.port(), host_port: reached.port() };
        let spec = ContainerSpec {
            image: self.filled.image.id.clone(),
            name: format!("tare-{}-{}-{}", context.run, subject.slug(), CONTAINERS.fetch_add(1, Ordering::Relaxed)),
            env: env.into_iter().collect(),
            cmd: args,
            network: if self.bridged { bridge } else { Network::Host },
            cpuset: Some(affinity::list(&context.cpus.subject)),
            memory_limit: self.filled.memory_limit,
            pids_limit: *pids_limit,
            hardening: self.hardening(),
            owner: RunOwner::this_process(&context.run),
        };
        Ok((spec, reached))
    }

    fn hardening(&self) -> Hardening {
        match &self.filled.start {
            Start::Given(start) => start.hardening.clone(),
            Start::Service | Start::Host { .. } => Hardening::default(),
        }
    }

    fn is_wasm(&self) -> bool {
        matches!(self.filled.start, Start::Host { .. })
    }

    /// Starts a container and asks it until it answers rightly; returns the time of that.
    async fn start(&self, container: &Container, network: Network, addr: SocketAddr) -> Result<u64> {
        match network {
            // The program may answer before the engine's call returns.
            Network::Host => {
                let stop = Cancel::default();
                let answer = self.answer(container, addr, &stop);
                let start = async {
                    let started = self.engine.start(container).await;
                    if started.is_err() {
                        stop.set();
                    }
                    started
                };
                let (started, answered) = tokio::join!(start, answer);
                started.and(answered)
            }
            // Asking a bridge's port before the call has returned delays the first answer by most of a second.
            Network::Bridge { .. } => {
                self.engine.start(container).await?;
                self.answer(container, addr, &Cancel::default()).await
            }
        }
    }

    async fn answer(&self, container: &Container, addr: SocketAddr, stop: &Cancel) -> Result<u64> {
        let Common { context, probe, .. } = &self.common;
        let deadline = self.common.deadline();
        let gone = Cancel::default();
        let (probe, flags) = (probe.clone(), [context.cancel.clone(), stop.clone(), gone.clone()]);
        let mut asking = tokio::task::spawn_blocking(move || {
            let mut given_up = || flags.iter().find_map(Cancel::given_up);
            probe.ask_until(addr, PAUSE, deadline, &mut given_up)
        });
        loop {
            let answered = tokio::time::timeout(PATIENCE, &mut asking).await;
            if matches!(answered, Ok(Ok(Ok(_)))) || context.cancel.is_set() || stop.is_set() {
                return answered.map_or_else(|_| Err(anyhow!("interrupted")), |asked| asked?);
            }
            let state = self.engine.inspect(container).await?;
            if !state.running && !state.is_new {
                gone.set();
                // Of what ended it, only waiting is sure.
                let error = anyhow!("before it answered, {}", end(&self.engine.wait(container).await?));
                return Err(match &self.filled.start {
                    Start::Given(start) if start.grants.is_empty() => error.context(NEEDS),
                    _ => error,
                });
            }
            if let Ok(asked) = answered {
                return asked?;
            }
        }
    }

    /// Everything after the first answer: finding its processes and phases.
    async fn running(&self, container: &Container, addr: SocketAddr) -> Result<ContainerInstance> {
        let state = self.engine.inspect(container).await?;
        let found = processes_of(container, &state)?;
        let pid = state.pid.with_context(|| format!("it does not run: {}", state.exit))?;
        let engine: Vec<i32> = found.shim.into_iter().chain(found.proxies).collect();
        let Common { context, subject, .. } = &self.common;
        if pin(&engine, &context.cpus.subject)? == Pinning::NotPermitted {
            context.notes.warn("shim and port proxy of containers could not be confined to the subjects' CPUs");
        }
        if !self.bridged && reachable_from_elsewhere(pid, addr.port()) {
            context.notes.warn(format!(
                "{subject} shares the host's network and listens on addresses that other machines can reach while it is \
                 measured: have it listen on {{addr}} or LISTEN_ADDR, which is on 127.0.0.1"
            ));
        }
        Ok(ContainerInstance {
            engine: self.engine.clone(),
            container: container.clone(),
            addr,
            processes: Processes { service: found.service, engine },
            cgroup: Cgroup::of(pid)?,
        })
    }

    /// The phases that the program announced on its standard output. What somebody brings need announce none, and is not
    /// waited for.
    async fn announced(&self, container: &Container) -> Result<Vec<(String, u64)>> {
        let begun = Instant::now();
        let lag = if matches!(self.filled.start, Start::Given(_)) { Duration::ZERO } else { LOG_LAG };
        loop {
            let lines = self.engine.stdout_lines(container).await?;
            let events: Vec<Event> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let last = |event: &Event| match event {
                Event::Phase { phase, .. } => self.is_wasm() && phase == INSTANTIATE,
                Event::Listening { .. } => !self.is_wasm(),
                Event::Ready { .. } | Event::Failed { .. } => false,
            };
            if events.iter().any(last) || begun.elapsed() >= lag {
                return Ok(marks(events, "start"));
            }
        }
    }

    async fn launch_container(&self, spec: &ContainerSpec, addr: SocketAddr) -> Result<Launched> {
        let began = monotonic_ns();
        let container = self.engine.create(spec).await?;
        let mut marks = vec![("create".to_owned(), monotonic_ns())];
        let launched = async {
            let answered = self.start(&container, spec.network, addr).await?;
            let instance = Box::new(self.running(&container, addr).await?);
            marks.extend(self.engine.network_connected(&container).await?.map(|at| ("network".to_owned(), at)));
            marks.extend(self.announced(&container).await?);
            let stopped = self.common.context.pulse.longest_stop_of_engine(began, answered);
            let startup = Startup::new(began, marks, answered).through_engine(stopped);
            Ok(Launched { instance, startup })
        };
        match launched.await {
            Ok(launched) => Ok(launched),
            Err(error) => {
                let error: anyhow::Error = error;
                let words = self.engine.log_tail(&container, 5).await.unwrap_or_default();
                self.engine.remove(&container).await?;
                let words = words.trim().replace('\n', " | ");
                Err(if words.is_empty() { error } else { error.context(format!("its last words: {words}")) })
            }
        }
    }
}

#[async_trait(?Send)]
impl Target for DockerTarget {
    fn artifacts(&self) -> Vec<ArtifactRecord> {
        let image = &self.filled.image;
        let layers = self.layers.as_deref().unwrap_or_default();
        let bytes = layers.iter().map(|layer| layer.bytes).sum();
        let sha256 = image.id.trim_start_matches("sha256:").to_owned();
        let record = ArtifactRecord { kind: "image".into(), name: image.name.clone(), bytes, sha256 };
        let layer = |layer: &Layer| ArtifactRecord {
            kind: "layer".into(),
            name: if layer.base { "of the base, shared by services" } else { "of the image itself" }.into(),
            bytes: layer.bytes,
            sha256: layer.digest.trim_start_matches("sha256:").to_owned(),
        };
        let component = match &self.filled.start {
            Start::Host { component, .. } => Some((**component).clone()),
            Start::Service | Start::Given(_) => None,
        };
        std::iter::once(record).chain(layers.iter().map(layer)).chain(component).collect()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = match &self.filled.start {
            Start::Host { settings, .. } => recorded_settings(&self.common, settings),
            Start::Service | Start::Given(_) => BTreeMap::new(),
        };
        let bridge = "bridge, port published on 127.0.0.1";
        let network = match &self.filled.start {
            _ if self.bridged => bridge,
            // Where it listens is its own affair; a warning says so where that is wider.
            Start::Given(_) => "host",
            Start::Service | Start::Host { .. } => "host, listening on 127.0.0.1",
        };
        let base = match (&self.filled.start, &self.filled.image.base) {
            (Start::Given(_), _) => "the image's own".to_owned(),
            (_, base) => base.as_ref().map_or("empty".to_owned(), ToString::to_string),
        };
        let fixed = [
            ("base", base),
            ("network", network.to_owned()),
            ("cpus", affinity::list(&self.common.context.cpus.subject)),
            ("memory limit", self.filled.memory_limit.to_string()),
            ("pids limit", self.common.pids_limit.to_string()),
            ("hardening", hardening_words(&self.hardening())),
            ("log driver", "json-file, 1 MB".to_owned()),
        ];
        settings.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
        settings.extend(self.engine_settings.clone());
        settings
    }

    fn grants(&self) -> Vec<String> {
        match &self.filled.start {
            Start::Given(start) => start.grants.clone(),
            Start::Host { grants, .. } => grants.clone(),
            Start::Service => Vec::new(),
        }
    }

    fn unavailable(&self) -> Vec<(Group, String)> {
        let reason = |port| {
            format!(
                "on the host's network it always listens on port {port}, so that no two of it run beside each other; one that \
                 takes `{{port}}` from its arguments or environment can"
            )
        };
        let fixed = self.filled.fixed_port().filter(|_| !self.bridged);
        fixed.map(|port| (Group::Density, reason(port))).into_iter().collect()
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        let layers = self.layers.as_ref().map_err(|error| anyhow!("{error}"))?;
        let bytes: u64 = layers.iter().map(|layer| layer.bytes).sum();
        let mut sizes =
            vec![("artifact", bytes), ("compressed", layers.iter().map(|layer| layer.compressed_bytes).sum())];
        let base = layers.iter().filter(|layer| layer.base).map(|layer| layer.bytes).sum();
        match &self.filled.start {
            Start::Service => sizes.push(("shared", base)),
            Start::Host { bytes, .. } => sizes.push(("shared", *bytes)),
            // Which of its layers others have, too, is not known.
            Start::Given(_) => {}
        }
        if !self.programs.is_empty() {
            let engine = self.programs.iter().map(|program| file_size(program)).sum::<Result<u64>>()?;
            sizes.extend([("engine", engine), ("total", bytes + engine)]);
        }
        Ok(sizes)
    }

    async fn launch(&self) -> Result<Launched> {
        let (spec, addr) = self.spec()?;
        self.launch_container(&spec, addr).await
    }

    fn replicas(&self) -> Result<Box<dyn Replicas + '_>> {
        // What they grow by is told apart from what an instance takes.
        let Daemons { engine, containerd } = self.engine.daemons()?;
        Ok(Separate::of(self, engine.into_iter().chain(containerd).collect()))
    }
}

/// What keeps a container from doing more than running its program.
fn hardening_words(hardening: &Hardening) -> String {
    let root = if hardening.writable_root { "writable root" } else { "read-only root" };
    let capabilities = match &hardening.capabilities[..] {
        [] => "no capabilities".to_owned(),
        some => format!("capabilities {}", some.join(", ")),
    };
    let user = match hardening.user.as_deref() {
        None => "the image's own user".to_owned(),
        Some("0:0") => "user root".to_owned(),
        Some(user) => format!("user {}", user.split(':').next().unwrap_or(user)),
    };
    format!("{root}, {capabilities}, no new privileges, {user}, the engine's security options")
}

/// How a container ended.
fn end(exit: &Exit) -> End {
    let cause = if exit.out_of_memory { Cause::OutOfMemory } else { End::from_status(exit.code) };
    End { cause, words: exit.error.clone() }
}

struct ContainerInstance {
    engine: Engine,
    container: Container,
    addr: SocketAddr,
    processes: Processes,
    cgroup: Cgroup,
}

#[async_trait(?Send)]
impl Instance for ContainerInstance {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn processes(&self) -> Result<Processes> {
        Ok(self.processes.clone())
    }

    fn cgroup(&self) -> Option<&Cgroup> {
        Some(&self.cgroup)
    }

    async fn ended(&mut self) -> Result<Option<End>> {
        if self.engine.inspect(&self.container).await?.running {
            return Ok(None);
        }
        Ok(Some(end(&self.engine.wait(&self.container).await?)))
    }

    async fn stop(self: Box<Self>) -> Result<()> {
        self.engine.remove(&self.container).await
    }
}
