//! Finding the engine, and saying what is wrong where there is none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bollard::models::{SystemInfo, SystemVersion};
use bollard::{API_DEFAULT_VERSION, Docker};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::socket::Named;
use super::{Engine, processes};

/// The oldest API that everything in here was tried on: that of Docker 20.10.
const OLDEST_API: (u32, u32) = (1, 41);

/// How long an engine may take to say its version. One that is well answers in milliseconds.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long any later call may take to begin its answer. Removing a container on a busy disk is the slowest of those that send
/// nothing.
const CALL_LIMIT: Duration = Duration::from_secs(20);

/// The same of one by which a build's context or an image is sent first.
const TRANSFER_LIMIT: Duration = Duration::from_mins(10);

/// Why there is no engine to measure with; each text ends with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// `DOCKER_HOST` or the chosen context names something else than a Unix socket.
    #[error(
        "{by} names {kind}, not a Unix socket: an engine on another machine cannot be measured, its processes and memory are \
         read here; unset it, or set DOCKER_HOST to unix:///PATH"
    )]
    Remote {
        /// What names it.
        by: String,
        /// What its value is. Not the value: it may hold a password, and this text is published.
        kind: String,
    },
    /// Nothing is at the socket's path.
    #[error(
        "no container engine: there is no socket at {socket}; install one (`sudo apt-get install docker.io`), start it \
         (`sudo systemctl start docker`), or name its socket with DOCKER_HOST=unix:///PATH"
    )]
    NoSocket {
        /// Where it was looked for.
        socket: PathBuf,
    },
    /// The socket may not be opened.
    #[error(
        "no permission to use the container engine at {socket}; join its group (`sudo usermod -aG docker $USER`, then \
         log in again), or run as root"
    )]
    NoPermission {
        /// The socket.
        socket: PathBuf,
    },
    /// The socket is there, and nobody or nothing sensible answers.
    #[error(
        "the container engine at {socket} does not answer: {reason}; start it again (`sudo systemctl restart docker`) \
         and see its log (`journalctl -u docker`)"
    )]
    NotAnswering {
        /// The socket.
        socket: PathBuf,
        /// What happened instead of an answer.
        reason: String,
    },
    /// The engine lacks what is used here.
    #[error(
        "the container engine at {socket} is too old: it speaks API {api}, {}.{} is needed; upgrade to Docker 20.10 or \
         newer",
        OLDEST_API.0,
        OLDEST_API.1
    )]
    TooOld {
        /// The socket.
        socket: PathBuf,
        /// The newest API that it speaks.
        api: String,
    },
}

impl Engine {
    /// Connects to the engine that the environment or the chosen context names, or to the one at the usual socket, and waits for
    /// its answer (10 s at most).
    pub async fn connect() -> Result<Self, EngineError> {
        Self::connect_within(ANSWER_LIMIT).await
    }

    /// The same, with another limit to the wait.
    pub async fn connect_within(limit: Duration) -> Result<Self, EngineError> {
        Self::connect_by(&Named::here(), limit).await
    }

    async fn connect_by(named: &Named, limit: Duration) -> Result<Self, EngineError> {
        let socket = named.socket()?;
        timeout(limit, Self::connect_to(&socket)).await.unwrap_or_else(|_| {
            let reason = format!("nothing came within {} s", limit.as_secs_f64());
            Err(EngineError::NotAnswering { socket: socket.clone(), reason })
        })
    }

    async fn connect_to(socket: &Path) -> Result<Self, EngineError> {
        let not_answering = |reason: String| EngineError::NotAnswering { socket: socket.to_owned(), reason };
        // The client hides the reason of a failed connection in a chain of its own; the bare socket tells it.
        let bare = UnixStream::connect(socket).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => EngineError::NoSocket { socket: socket.to_owned() },
            std::io::ErrorKind::PermissionDenied => EngineError::NoPermission { socket: socket.to_owned() },
            _ => not_answering(error.to_string()),
        })?;
        let peer = bare.peer_cred().ok().and_then(|peer| peer.pid());
        drop(bare);
        let path = socket.to_str().ok_or_else(|| not_answering("its path is not UTF-8".into()))?;
        let docker = Docker::connect_with_unix(path, CALL_LIMIT.as_secs(), API_DEFAULT_VERSION)
            .map_err(|error| not_answering(error.to_string()))?;
        let docker = docker.negotiate_version().await.map_err(|error| not_answering(chain(&error)))?;
        let version = docker.version().await.map_err(|error| not_answering(chain(&error)))?;
        let api = version.api_version.unwrap_or_default();
        if parse_api(&api).is_none_or(|api| api < OLDEST_API) {
            return Err(EngineError::TooOld { socket: socket.to_owned(), api });
        }
        let transfers = docker.clone().with_timeout(TRANSFER_LIMIT);
        let info = docker.info().await.map_err(|error| not_answering(chain(&error)))?;
        let remaps_users = info.security_options.iter().flatten().any(|option| option.starts_with("name=userns"));
        Ok(Self { docker, transfers, peer, remaps_users, layers: Arc::default() })
    }

    /// Whether the engine has its usual network, to which published ports lead.
    pub async fn has_bridge(&self) -> bool {
        self.docker.inspect_network("bridge", None).await.is_ok()
    }

    /// What a run's record says of the engine.
    pub async fn info(&self) -> Result<EngineInfo> {
        let version = self.docker.version().await.context("asking the container engine for its version")?;
        let info = self.docker.info().await.context("asking the container engine for its settings")?;
        Ok(EngineInfo::new(version, info, processes::userland_proxy(self)))
    }
}

/// The engine, its parts and the settings of it that move numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// What it is: `Docker`, `Podman`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The newest API that it speaks.
    pub api: String,
    /// The versions of its parts by name: `containerd`, `runc`.
    pub parts: BTreeMap<String, String>,
    /// How it stores layers: `overlay2`.
    pub storage_driver: String,
    /// Who makes the containers' cgroups: `cgroupfs`, `systemd`.
    pub cgroup_driver: String,
    /// The cgroup version that it uses.
    pub cgroup_version: String,
    /// The OCI runtime that containers get by default.
    pub runtime: String,
    /// Security options as the engine lists them: seccomp profile, rootless.
    pub security: Vec<String>,
    /// Whether published ports go through a proxy process, where this can be told from the engine's process.
    pub userland_proxy: Option<bool>,
}

impl EngineInfo {
    fn new(version: SystemVersion, info: SystemInfo, userland_proxy: Option<bool>) -> Self {
        let components = version.components.unwrap_or_default();
        let podman = components.iter().any(|part| part.name.starts_with("Podman"));
        let parts = components.into_iter().filter(|part| !part.name.contains("Engine"));
        let unknown = || "unknown".to_owned();
        Self {
            name: if podman { "Podman".into() } else { "Docker".into() },
            version: version.version.unwrap_or_else(unknown),
            api: version.api_version.unwrap_or_else(unknown),
            parts: parts.map(|part| (part.name, part.version)).collect(),
            storage_driver: info.driver.unwrap_or_else(unknown),
            cgroup_driver: info.cgroup_driver.map_or_else(unknown, |driver| driver.to_string()),
            cgroup_version: info.cgroup_version.map_or_else(unknown, |version| version.to_string()),
            runtime: info.default_runtime.unwrap_or_else(unknown),
            security: info.security_options.unwrap_or_default(),
            userland_proxy,
        }
    }

    /// The entries for the record's table of versions.
    pub fn versions(&self) -> BTreeMap<String, String> {
        let engine = (self.name.to_lowercase(), format!("{} (API {})", self.version, self.api));
        self.parts.clone().into_iter().chain([engine]).collect()
    }

    /// The entries for a subject's table of settings.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let proxy = self.userland_proxy.map_or("unknown", |proxy| if proxy { "yes" } else { "no" });
        [
            ("engine.storage", self.storage_driver.clone()),
            ("engine.cgroup", format!("{} v{}", self.cgroup_driver, self.cgroup_version)),
            ("engine.runtime", self.runtime.clone()),
            ("engine.security", self.security.join(" ")),
            ("engine.userland_proxy", proxy.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

fn parse_api(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// An error with its causes, which the client's own text leaves out.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixListener;

    use super::*;

    /// Connects to a socket in a folder of its own, which the function may serve.
    async fn connect_error(serve: impl FnOnce(&Path)) -> EngineError {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("engine.sock");
        serve(&socket);
        let named = Named::by_host(&format!("unix://{}", socket.display()));
        Engine::connect_by(&named, Duration::from_millis(500)).await.err().unwrap()
    }

    /// Answers every request on a socket with these bytes, for as long as the test process lives.
    fn answer_with(socket: &Path, answer: &'static str) {
        let listener = UnixListener::bind(socket).unwrap();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                // The bare connection that comes first sends nothing.
                if connection.read(&mut [0; 4096]).unwrap_or(0) > 0 {
                    connection.write_all(answer.as_bytes()).unwrap();
                }
            }
        });
    }

    #[tokio::test]
    async fn each_way_to_have_no_engine_is_told_apart() {
        let missing = connect_error(|_| {}).await;
        assert!(matches!(missing, EngineError::NoSocket { .. }), "{missing}");

        let stale = connect_error(|socket| drop(UnixListener::bind(socket).unwrap())).await;
        assert!(matches!(&stale, EngineError::NotAnswering { reason, .. } if reason.contains("refused")), "{stale}");

        let mute = connect_error(|socket| std::mem::forget(UnixListener::bind(socket).unwrap())).await;
        assert!(matches!(&mute, EngineError::NotAnswering { reason, .. } if reason.contains("0.5 s")), "{mute}");

        let broken = connect_error(|socket| answer_with(socket, "")).await;
        assert!(matches!(broken, EngineError::NotAnswering { .. }), "{broken}");

        let old = "HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n{\"ApiVersion\":\"1.24\"}";
        let old = connect_error(|socket| answer_with(socket, old)).await;
        assert!(matches!(&old, EngineError::TooOld { api, .. } if api == "1.24"), "{old}");
        assert!(old.to_string().contains("1.41 is needed"), "{old}");
    }

    #[test]
    fn api_versions_compare_as_numbers() {
        assert!(parse_api("1.41").unwrap() >= OLDEST_API);
        assert!(parse_api("1.9").unwrap() < OLDEST_API);
        assert!(parse_api("1.100").unwrap() > OLDEST_API);
        assert_eq!(parse_api("new"), None);
    }
}
