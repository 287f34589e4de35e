//! Containers: hardened, limited, reachable from this machine only. One call of the engine each, so that a caller can
//! time them.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow};
use bollard::container::LogOutput;
use bollard::errors::Error::DockerContainerWaitError;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum, HostConfig, HostConfigLogConfig,
    PortBinding, RestartPolicy, RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, EventsOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
    WaitContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{Engine, RunOwner};
use crate::sys::UNPRIVILEGED;
use crate::sys::clock::monotonic_ns;

/// The most that a container's output takes on disk. Services write a few lines.
const LOG_LIMIT: &str = "1m";

/// The most of a container's output that is read, in bytes.
const MOST_OF_LOG: usize = 2 << 20;

/// The status of a program that was killed by SIGKILL.
const KILLED: i64 = 128 + 9;

/// How long the news of a lack of memory may come after that of the end.
const OOM_LAG: Duration = Duration::from_secs(1);

/// How far back events are looked for, in seconds: the longest start that may be allowed takes less.
const RECENT_S: u64 = 700;

/// A container to create.
#[derive(Debug, Clone)]
pub struct ContainerSpec {
    /// The image's name or id.
    pub image: String,
    /// The container's name.
    pub name: String,
    /// The environment; nothing of this process's own is passed on.
    pub env: Vec<(String, String)>,
    /// Arguments of the image's entry point.
    pub cmd: Vec<String>,
    /// How it is reached.
    pub network: Network,
    /// The CPUs that it may use, as the kernel lists them: `1`, `0-3,8`. All, if none are named.
    pub cpuset: Option<String>,
    /// The most memory in bytes, with no swap beyond it.
    pub memory_limit: u64,
    /// The most processes and threads.
    pub pids_limit: u32,
    /// What it may do beyond running its program.
    pub hardening: Hardening,
    /// Who will remove it.
    pub owner: RunOwner,
}

/// What a container may do beyond running its program. The default is the least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardening {
    /// Whom it runs as; `None` for the image's own user.
    pub user: Option<String>,
    /// Whether its root is writable.
    pub writable_root: bool,
    /// Folders that are writable, in memory and empty at first.
    pub writable: Vec<String>,
    /// Its capabilities.
    pub capabilities: Vec<String>,
}

impl Default for Hardening {
    fn default() -> Self {
        Self { user: Some(UNPRIVILEGED.into()), writable_root: false, writable: Vec::new(), capabilities: Vec::new() }
    }
}

/// How a container is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// It shares the host's network and listens on the host's loopback itself.
    Host,
    /// It has a network of its own, and a port of it is published on 127.0.0.1. Its program must listen on all of its
    /// own addresses. Do not probe the port before [`Engine::start`] has returned: doing so delays the first answer.
    Bridge {
        /// The port that the program listens on.
        container_port: u16,
        /// The port on the host; 0 for any that is free, see [`State::host_port`].
        host_port: u16,
    },
}

/// A container that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The engine's id for it.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What the engine knows of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Whether it runs.
    pub running: bool,
    /// Whether it was created and not started yet.
    pub is_new: bool,
    /// Its first process, in the host's numbers, while it runs.
    pub pid: Option<i32>,
    /// The port on 127.0.0.1 that is published, while it runs.
    pub host_port: Option<u16>,
    /// How it ended.
    pub exit: Exit,
}

/// How a container ended; meaningless while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// The exit status of its first process; 128 and the signal's number where a signal ended it.
    pub code: i64,
    /// Whether the kernel killed a process of it for going over its memory limit. Certain from [`Engine::wait`]; the
    /// state alone misses it now and then.
    pub out_of_memory: bool,
    /// What the engine says went wrong, if anything.
    pub error: String,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code {
            code if self.out_of_memory => write!(f, "it went over its memory limit and was killed (status {code})")?,
            KILLED => write!(f, "it was killed, perhaps for going over its memory limit (status {KILLED})")?,
            code @ 129..=192 => write!(f, "it was ended by signal {}", code - 128)?,
            code => write!(f, "it ended with status {code}")?,
        }
        if self.error.is_empty() { Ok(()) } else { write!(f, ": {}", self.error) }
    }
}

impl Engine {
    /// Creates a container without starting it.
    pub async fn create(&self, spec: &ContainerSpec) -> Result<Container> {
        let options = CreateContainerOptionsBuilder::default().name(&spec.name).build();
        let created = self.docker.create_container(Some(options), create_body(spec, self.remaps_users)).await;
        let created = created.with_context(|| format!("creating the container {} of {}", spec.name, spec.image))?;
        Ok(Container { id: created.id, name: spec.name.clone() })
    }

    /// Starts a container. It may have ended again by the time this returns: see [`Engine::wait`].
    pub async fn start(&self, container: &Container) -> Result<()> {
        let started = self.docker.start_container(&container.id, None).await;
        started.with_context(|| format!("starting the container {}", container.name))
    }

    /// Waits until a container that was started has ended. To be called once [`Engine::start`] has returned; an end
    /// before that is not missed, the engine then answers at once.
    pub async fn wait(&self, container: &Container) -> Result<Exit> {
        let options = WaitContainerOptionsBuilder::default().condition("not-running").build();
        let mut answers = std::pin::pin!(self.docker.wait_container(&container.id, Some(options)));
        let what = || format!("waiting for the container {}", container.name);
        match answers.next().await {
            // The client turns every status but 0 into an error; the state has it, with what the wait does not tell.
            Some(Ok(_) | Err(DockerContainerWaitError { .. })) => self.ended(container).await,
            Some(Err(error)) => Err(error).with_context(what),
            None => Err(anyhow!("the engine closed the connection").context(what())),
        }
    }

    /// How a container that does not run any more has ended.
    async fn ended(&self, container: &Container) -> Result<Exit> {
        let exit = self.inspect(container).await?.exit;
        if exit.code != KILLED || exit.out_of_memory {
            return Ok(exit);
        }
        // The engine hears of the end and of the lack of memory on two ways; when the end comes first, the state never
        // tells the cause, only an event does.
        let filters = HashMap::from([("container", vec![container.id.as_str()]), ("event", vec!["oom"])]);
        let options = EventsOptionsBuilder::default().since("0").filters(&filters).build();
        let mut events = std::pin::pin!(self.docker.events(Some(options)));
        let out_of_memory = matches!(timeout(OOM_LAG, events.next()).await, Ok(Some(Ok(_))));
        Ok(Exit { out_of_memory, ..exit })
    }

    /// Asks what has become of a container.
    pub async fn inspect(&self, container: &Container) -> Result<State> {
        let inspected = self.docker.inspect_container(&container.id, None).await;
        let inspected = inspected.with_context(|| format!("inspecting the container {}", container.name))?;
        Ok(state(inspected))
    }

    /// When a container that was started in the last seconds was connected to its network, on the monotonic clock in
    /// nanoseconds; `None` where the engine reports none.
    pub async fn network_connected(&self, container: &Container) -> Result<Option<u64>> {
        let wall_ns = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
        // Events come with the time of day; a step of it between them and now would show as an absurd phase.
        let offset = wall_ns - monotonic_ns();
        let seconds = wall_ns / 1_000_000_000;
        // With its nanoseconds: until a later time, the engine would wait for it.
        let (then, now) = (seconds - RECENT_S, format!("{seconds}.{:09}", wall_ns % 1_000_000_000));
        let filters = HashMap::from([("type", vec!["network"]), ("event", vec!["connect"])]);
        let options = EventsOptionsBuilder::default().since(&then.to_string()).until(&now).filters(&filters);
        let mut events = std::pin::pin!(self.docker.events(Some(options.build())));
        while let Some(event) = events.next().await {
            let event = event.with_context(|| format!("hearing of the network of {}", container.name))?;
            let attributes = event.actor.and_then(|actor| actor.attributes).unwrap_or_default();
            if attributes.get("container") == Some(&container.id) {
                return Ok(event.time_nano.and_then(|at| u64::try_from(at).ok()?.checked_sub(offset)));
            }
        }
        Ok(None)
    }

    /// Everything that a container has written to its standard output, in lines.
    pub async fn stdout_lines(&self, container: &Container) -> Result<Vec<String>> {
        let options = LogsOptionsBuilder::default().stdout(true).build();
        let text = self.read_log(container, options).await?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// The last lines that a container has written, to its standard output or error: for a message.
    pub async fn log_tail(&self, container: &Container, lines: usize) -> Result<String> {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&lines.to_string()).build();
        self.read_log(container, options).await
    }

    async fn read_log(&self, container: &Container, options: bollard::query_parameters::LogsOptions) -> Result<String> {
        let mut stream = std::pin::pin!(self.docker.logs(&container.id, Some(options)));
        let mut bytes = Vec::new();
        // An engine may keep more than it was told to.
        while let Some(output) = stream.next().await
            && bytes.len() < MOST_OF_LOG
        {
            let output: LogOutput = output.with_context(|| format!("reading the log of {}", container.name))?;
            bytes.extend_from_slice(output.as_ref());
        }
        bytes.truncate(MOST_OF_LOG);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Kills what runs in a container and removes it, in one call. Done if it is gone or going already.
    pub async fn remove(&self, container: &Container) -> Result<()> {
        self.remove_by_id(&container.id).await.with_context(|| format!("removing the container {}", container.name))
    }

    pub(super) async fn remove_by_id(&self, id: &str) -> Result<(), bollard::errors::Error> {
        use bollard::errors::Error::DockerResponseServerError as Refused;
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.docker.remove_container(id, Some(options)).await {
            // 409: somebody else's removal is in progress.
            Err(Refused { status_code: 404 | 409, .. }) => Ok(()),
            other => other,
        }
    }
}

fn create_body(spec: &ContainerSpec, remaps_users: bool) -> ContainerCreateBody {
    let hardening = &spec.hardening;
    let host_config = HostConfig {
        cpuset_cpus: spec.cpuset.clone(),
        memory: i64::try_from(spec.memory_limit).ok(),
        memory_swap: i64::try_from(spec.memory_limit).ok(),
        pids_limit: Some(spec.pids_limit.into()),
        readonly_rootfs: Some(!hardening.writable_root),
        tmpfs: (!hardening.writable.is_empty())
            .then(|| hardening.writable.iter().map(|path| (path.clone(), "mode=1777".to_owned())).collect()),
        cap_drop: Some(vec!["ALL".into()]),
        cap_add: (!hardening.capabilities.is_empty()).then(|| hardening.capabilities.clone()),
        security_opt: Some(vec!["no-new-privileges:true".into()]),
        restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), maximum_retry_count: None }),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".into()),
            config: Some(HashMap::from([("max-size".into(), LOG_LIMIT.into())])),
        }),
        ..HostConfig::default()
    };
    let body = ContainerCreateBody {
        image: Some(spec.image.clone()),
        user: hardening.user.clone(),
        env: Some(spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        // None, not an empty list: that would replace the image's own.
        cmd: Some(spec.cmd.clone()).filter(|cmd| !cmd.is_empty()),
        labels: Some(spec.owner.labels().into_iter().collect()),
        ..ContainerCreateBody::default()
    };
    match spec.network {
        Network::Host => {
            // An engine that gives containers other users refuses them the host's network.
            let userns_mode = remaps_users.then(|| "host".into());
            let host_config = HostConfig { network_mode: Some("host".into()), userns_mode, ..host_config };
            ContainerCreateBody { host_config: Some(host_config), ..body }
        }
        Network::Bridge { container_port, host_port } => {
            let port = format!("{container_port}/tcp");
            let binding = PortBinding { host_ip: Some("127.0.0.1".into()), host_port: Some(host_port.to_string()) };
            let host_config = HostConfig {
                network_mode: Some("bridge".into()),
                port_bindings: Some(HashMap::from([(port.clone(), Some(vec![binding]))])),
                ..host_config
            };
            ContainerCreateBody { exposed_ports: Some(vec![port]), host_config: Some(host_config), ..body }
        }
    }
}

fn state(inspected: ContainerInspectResponse) -> State {
    let state = inspected.state.unwrap_or_default();
    let ports = inspected.network_settings.and_then(|network| network.ports).unwrap_or_default();
    let mut bindings = ports.into_values().flatten().flatten();
    let host_port = bindings.find_map(|binding| binding.host_port?.parse().ok()).filter(|port| *port != 0);
    State {
        running: state.running.unwrap_or_default(),
        is_new: state.status == Some(ContainerStateStatusEnum::CREATED),
        pid: state.pid.and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid != 0),
        host_port,
        exit: Exit {
            code: state.exit_code.unwrap_or_default(),
            out_of_memory: state.oom_killed.unwrap_or_default(),
            error: state.error.unwrap_or_default(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_words() {
        let exit = |code, out_of_memory, error: &str| Exit { code, out_of_memory, error: error.into() }.to_string();
        assert_eq!(exit(1, false, ""), "it ended with status 1");
        assert_eq!(exit(137, false, ""), "it was killed, perhaps for going over its memory limit (status 137)");
        assert_eq!(exit(139, false, ""), "it was ended by signal 11");
        assert_eq!(exit(137, true, ""), "it went over its memory limit and was killed (status 137)");
        assert_eq!(exit(127, false, "no such file"), "it ended with status 127: no such file");
    }
}
