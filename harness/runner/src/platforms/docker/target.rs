//! Starting, measuring and removing the containers of one subject.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use tare_model::ArtifactRecord;
use tare_protocol::Event;

use super::super::wasm::{INSTANTIATE, host_args, recorded_settings};
use super::super::wasmtime;
use super::super::{
    Colony, Common, Instance, Launched, MEMORY_LIMIT, PIDS_LIMIT, Processes, Separate, Startup, Target,
};
use super::{Kind, is_bridged};
use crate::affinity;
use crate::build::file_size;
use crate::cancel::Cancel;
use crate::clock::monotonic_ns;
use crate::engine::{
    Cgroup, Container, ContainerSpec, Daemons, Engine, Image, Layer, Network, Owner, Pinning, daemons, pin,
    processes_of,
};
use crate::process::phase_name;

/// The port that a service listens on in a network of its own.
const INNER_PORT: u16 = 8080;
/// Time between two attempts at a first answer. The engine needs the CPU meanwhile, so the probe sleeps; on a start of
/// tens of milliseconds it adds a quarter of a millisecond at most.
const PAUSE: Duration = Duration::from_micros(200);
/// How long the probe goes on before the engine is asked whether the container still runs.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the log may lag behind the first answer.
const LOG_LAG: Duration = Duration::from_millis(300);

/// A subject's image and what its containers are started with.
pub(super) struct DockerTarget {
    pub(super) common: Common,
    pub(super) kind: Kind,
    pub(super) engine: Engine,
    /// The engine's own settings that move numbers.
    pub(super) engine_settings: BTreeMap<String, String>,
    pub(super) image: Image,
    pub(super) layers: Vec<Layer>,
    /// The component that was compiled ahead into the image, where it holds one.
    pub(super) component: Option<ArtifactRecord>,
    /// The size in bytes of the Wasm host in the image, where there is one.
    pub(super) host: Option<u64>,
    /// The engine's program files.
    pub(super) programs: Vec<PathBuf>,
}

/// Distinguishes the containers of a run.
static CONTAINERS: AtomicU64 = AtomicU64::new(0);

impl DockerTarget {
    /// The container, and where it answers once it runs.
    fn spec(&self) -> Result<(ContainerSpec, SocketAddr)> {
        let Common { world, subject, .. } = &self.common;
        let addr = free_address()?;
        let bridge = Network::Bridge { container_port: INNER_PORT, host_port: addr.port() };
        let network = if is_bridged(&subject.variant) { bridge } else { Network::Host };
        let listen = match network {
            Network::Host => addr,
            Network::Bridge { .. } => (Ipv4Addr::UNSPECIFIED, INNER_PORT).into(),
        };
        let (env, cmd) = if self.kind == Kind::Wasm {
            let served = format!("{}=/service.cwasm@{listen}", subject.service);
            let mut cmd = vec!["--service".to_owned(), served];
            cmd.extend(host_args(&self.common, &wasmtime::settings(wasmtime::AOT)));
            (BTreeMap::new(), cmd)
        } else {
            (self.common.env_listening_on(&listen.to_string()), Vec::new())
        };
        let spec = ContainerSpec {
            image: self.image.id.clone(),
            name: format!("tare-{}-{}-{}", world.run, subject.slug(), CONTAINERS.fetch_add(1, Ordering::Relaxed)),
            env: env.into_iter().collect(),
            cmd,
            network,
            cpuset: Some(affinity::list(&world.cpus.subject)),
            memory_limit: MEMORY_LIMIT,
            pids_limit: PIDS_LIMIT,
            owner: Owner::this_process(&world.run)?,
        };
        Ok((spec, addr))
    }

    /// Starts a container and asks it until it answers rightly; gives the time of that and of what came before.
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
        let world = &self.common.world;
        let deadline = Instant::now() + world.start_timeout;
        loop {
            let (probe, stop_asking, cancel) = (self.common.probe.clone(), stop.clone(), world.cancel.clone());
            let asked = tokio::task::spawn_blocking(move || {
                probe.ask_until(addr, PAUSE, PATIENCE, &|| stop_asking.is_set() || cancel.is_set())
            });
            let error = match asked.await? {
                Ok(answered) => return Ok(answered),
                Err(error) => error,
            };
            if !self.engine.inspect(container).await?.running {
                // Of what ended it, only waiting is sure.
                bail!("{}", self.engine.wait(container).await?);
            }
            if stop.is_set() || world.cancel.is_set() || Instant::now() > deadline {
                return Err(error);
            }
        }
    }

    /// Everything after the first answer: finding its processes and phases.
    async fn running(&self, container: &Container, addr: SocketAddr) -> Result<ContainerInstance> {
        let state = self.engine.inspect(container).await?;
        let found = processes_of(container, &state)?;
        let pid = state.pid.with_context(|| format!("it does not run: {}", state.exit))?;
        let engine: Vec<i32> = found.shim.into_iter().chain(found.proxies).collect();
        let cpus = &self.common.world.cpus.subject;
        if pin(&engine, cpus)? == Pinning::NotPermitted {
            self.common.world.warn("shim and port proxy of containers could not be confined to the subjects' CPUs");
        }
        Ok(ContainerInstance {
            engine: self.engine.clone(),
            container: container.clone(),
            addr,
            processes: Processes { service: found.service, engine },
            cgroup: Cgroup::of(pid)?,
        })
    }

    /// The phases that the program announced on its standard output.
    async fn announced(&self, container: &Container) -> Result<Vec<(String, u64)>> {
        let begun = Instant::now();
        loop {
            let lines = self.engine.stdout_lines(container).await?;
            let events: Vec<Event> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let last = |event: &Event| match event {
                Event::Phase { phase, .. } => self.kind == Kind::Wasm && phase == INSTANTIATE,
                Event::Listening { .. } => self.kind != Kind::Wasm,
                Event::Ready { .. } | Event::Failed { .. } => false,
            };
            if events.iter().any(last) || begun.elapsed() > LOG_LAG {
                return Ok(events.into_iter().filter_map(mark).collect());
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
            Ok(Launched { instance, startup: Startup::new(began, marks, answered) })
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

fn mark(event: Event) -> Option<(String, u64)> {
    match event {
        Event::Phase { phase, at_ns } => Some((phase_name(phase, "start"), at_ns)),
        Event::Listening { at_ns, .. } => Some(("listen".into(), at_ns)),
        Event::Ready { .. } | Event::Failed { .. } => None,
    }
}

#[async_trait(?Send)]
impl Target for DockerTarget {
    fn artifacts(&self) -> Vec<ArtifactRecord> {
        let bytes = self.layers.iter().map(|layer| layer.bytes).sum();
        let sha256 = self.image.id.trim_start_matches("sha256:").to_owned();
        let image = ArtifactRecord { kind: "image".into(), name: self.image.name.clone(), bytes, sha256 };
        let layer = |layer: &Layer| ArtifactRecord {
            kind: "layer".into(),
            name: if layer.base { "of the base, shared by services" } else { "of the image itself" }.into(),
            bytes: layer.bytes,
            sha256: layer.digest.trim_start_matches("sha256:").to_owned(),
        };
        std::iter::once(image).chain(self.layers.iter().map(layer)).chain(self.component.clone()).collect()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = match self.kind {
            Kind::Wasm => recorded_settings(&self.common, &wasmtime::settings(wasmtime::AOT)),
            Kind::Scratch(_) | Kind::Debian => BTreeMap::new(),
        };
        let bridge = is_bridged(&self.common.subject.variant);
        let network = if bridge { "bridge, port published on 127.0.0.1" } else { "host, listening on 127.0.0.1" };
        let fixed = [
            ("base", self.image.base.as_ref().map_or("empty".to_owned(), ToString::to_string)),
            ("network", network.to_owned()),
            ("cpus", affinity::list(&self.common.world.cpus.subject)),
            ("memory limit", MEMORY_LIMIT.to_string()),
            ("pids limit", PIDS_LIMIT.to_string()),
            (
                "hardening",
                "read-only root, no capabilities, no new privileges, user 65534, the engine's security options"
                    .to_owned(),
            ),
            ("log driver", "json-file, 1 MB".to_owned()),
        ];
        settings.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
        settings.extend(self.engine_settings.clone());
        settings
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        let bytes: u64 = self.layers.iter().map(|layer| layer.bytes).sum();
        let base = self.layers.iter().filter(|layer| layer.base).map(|layer| layer.bytes).sum();
        let mut sizes = vec![
            ("artifact", bytes),
            ("compressed", self.layers.iter().map(|layer| layer.compressed_bytes).sum()),
            ("shared", self.host.unwrap_or(base)),
        ];
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

    fn colony(&self) -> Result<Box<dyn Colony + '_>> {
        // What they grow by is told apart from what an instance takes.
        let Daemons { engine, containerd } = daemons()?;
        Ok(Separate::of(self, engine.into_iter().chain(containerd).collect()))
    }
}

/// A free port of the loopback address. Nothing keeps it until the container takes it; another program taking it
/// meanwhile shows as a failed start.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?)
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

    async fn ended(&mut self) -> Result<Option<String>> {
        if self.engine.inspect(&self.container).await?.running {
            return Ok(None);
        }
        Ok(Some(self.engine.wait(&self.container).await?.to_string()))
    }

    async fn stop(self: Box<Self>) -> Result<()> {
        self.engine.remove(&self.container).await
    }
}
