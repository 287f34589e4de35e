//! Where the engine's socket is: as for the engine's own client.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::EngineError;
use crate::sys::digest::sha256;

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// What names an engine.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    /// `DOCKER_HOST`, which goes before all else.
    host: Option<String>,
    /// `DOCKER_CONTEXT`, which goes before the context that the configuration chooses.
    context: Option<String>,
    /// The folder of the client's configuration.
    config: Option<PathBuf>,
    /// The folder of the user's session, in which an engine without root has its socket.
    session: Option<PathBuf>,
}

/// As much of the client's configuration as matters here.
#[derive(Deserialize)]
struct Config {
    #[serde(rename = "currentContext")]
    context: Option<String>,
}

/// As much of a context as matters here.
#[derive(Deserialize)]
struct Context {
    #[serde(rename = "Endpoints")]
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Endpoint,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host")]
    host: String,
}

impl Named {
    /// What this process's environment says.
    pub(super) fn here() -> Self {
        let text = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let home = || Some(PathBuf::from(text("HOME")?).join(".docker"));
        Self {
            host: text("DOCKER_HOST"),
            context: text("DOCKER_CONTEXT"),
            config: text("DOCKER_CONFIG").map(PathBuf::from).or_else(home),
            session: text("XDG_RUNTIME_DIR").map(PathBuf::from),
        }
    }

    /// By a value of `DOCKER_HOST` alone.
    #[cfg(test)]
    pub(super) fn by_host(host: &str) -> Self {
        Self { host: Some(host.into()), ..Self::default() }
    }

    /// The socket of the engine that is named, or the usual one; that of an engine without root where the usual one is not
    /// there.
    pub(super) fn socket(&self) -> Result<PathBuf, EngineError> {
        if let Some(host) = self.host.as_deref().filter(|host| !host.is_empty()) {
            return of_host(host, "DOCKER_HOST");
        }
        if let Some((name, host)) = self.chosen() {
            return of_host(&host, &format!("the docker context `{}`", name.escape_debug()));
        }
        let usual = PathBuf::from(DEFAULT_SOCKET);
        let own = self.session.as_ref().map(|session| session.join("docker.sock"));
        Ok(own.filter(|own| own.exists() && !usual.exists()).unwrap_or(usual))
    }

    /// The chosen context and the host that it names; `None` for the default one, or where it cannot be read.
    fn chosen(&self) -> Option<(String, String)> {
        let config = self.config.as_deref()?;
        let configured = || read::<Config>(&config.join("config.json"))?.context;
        let name = self.context.clone().or_else(configured).filter(|name| name != "default" && !name.is_empty())?;
        let meta = config.join("contexts/meta").join(sha256(name.as_bytes())).join("meta.json");
        Some((name, read::<Context>(&meta)?.endpoints.docker.host))
    }
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs_err::read(path).ok()?).ok()
}

fn of_host(host: &str, by: &str) -> Result<PathBuf, EngineError> {
    match host.strip_prefix("unix://") {
        Some(path) => Ok(path.into()),
        None => Err(EngineError::Remote { by: by.into(), kind: kind(host) }),
    }
}

/// What a host is, without what is in it.
fn kind(host: &str) -> String {
    let scheme = host.split_once("://").map(|(scheme, _)| scheme);
    match scheme.filter(|scheme| scheme.len() <= 10 && scheme.chars().all(|char| char.is_ascii_alphanumeric())) {
        Some(scheme) => format!("a {scheme}:// address"),
        None => "no URL".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_host_is_honoured_for_sockets_only() {
        let socket = |host| Named::by_host(host).socket();
        assert_eq!(Named::default().socket().unwrap(), Path::new(DEFAULT_SOCKET));
        assert_eq!(socket("").unwrap(), Path::new(DEFAULT_SOCKET));
        assert_eq!(socket("unix:///run/user/1000/docker.sock").unwrap(), Path::new("/run/user/1000/docker.sock"));
        for (host, kind) in [
            ("tcp://user:secret@10.0.0.1:2375", "DOCKER_HOST names a tcp:// address"),
            ("ssh://user@build", "DOCKER_HOST names a ssh:// address"),
            ("secret", "no URL"),
        ] {
            let error = socket(host).unwrap_err().to_string();
            assert!(error.contains(kind) && !error.contains("secret") && !error.contains('@'), "{error}");
        }
    }

    #[test]
    fn the_chosen_context_is_honoured_as_the_client_does() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        };
        for (name, host) in [("rootless", "unix:///run/user/1000/docker.sock"), ("far", "ssh://me@there")] {
            let meta = format!("{{\"Name\":\"{name}\",\"Endpoints\":{{\"docker\":{{\"Host\":\"{host}\"}}}}}}");
            write(&format!("contexts/meta/{}/meta.json", sha256(name.as_bytes())), &meta);
        }
        write("config.json", r#"{"currentContext":"rootless"}"#);
        let named = Named { config: Some(folder.path().into()), ..Named::default() };
        assert_eq!(named.socket().unwrap(), Path::new("/run/user/1000/docker.sock"));
        let default = Named { context: Some("default".into()), ..named.clone() };
        assert_eq!(default.socket().unwrap(), Path::new(DEFAULT_SOCKET));
        let far = Named { context: Some("far".into()), ..named.clone() }.socket().unwrap_err().to_string();
        assert!(far.contains("the docker context `far` names a ssh:// address"), "{far}");
        let host = Named { host: Some("unix:///a".into()), ..named };
        assert_eq!(host.socket().unwrap(), Path::new("/a"));
    }
}
