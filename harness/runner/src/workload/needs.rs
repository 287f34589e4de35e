//! What an implementation needs beyond the hardened default, and what it may use.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What an implementation needs beyond the hardened default of its platforms. Each is granted because its file asks for it,
/// and stands beside its figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Needs {
    /// The user of its containers: a name of the image's, a number, `root`, or `image` for the image's own, root included.
    /// Otherwise the image's own if that is not root, else the unprivileged user 65534.
    pub user: Option<String>,
    /// Whether the root of its containers is writable.
    pub writable_root: bool,
    /// Folders of its containers that are writable, in memory and empty at first.
    pub writable: Vec<String>,
    /// Capabilities of its containers, as `NET_BIND_SERVICE`.
    pub capabilities: Vec<String>,
    /// The hosts that its component may send HTTP requests to: `HOST` or `HOST:PORT`.
    pub outgoing: Vec<String>,
    /// Folders of this machine that its component sees, as `FOLDER=/PATH` or, to read only, `FOLDER=/PATH:ro`.
    pub folders: Vec<String>,
    /// What its component finds in `wasi:config/store`.
    pub config: BTreeMap<String, String>,
}

impl Needs {
    /// What a container gets beyond the hardened default, in words; empty for the default. Whose image's own user is root, runs
    /// as root where the image's user is asked for.
    pub fn of_container(&self, is_root_image: bool) -> Vec<String> {
        let mut grants = Vec::new();
        match self.user.as_deref() {
            Some("root" | "0" | "0:0") => grants.push("runs as root".to_owned()),
            Some("image") if is_root_image => grants.push("runs as root".to_owned()),
            None | Some("image") => {}
            Some(user) => grants.push(format!("runs as user {user}")),
        }
        if self.writable_root {
            grants.push("writable root".to_owned());
        }
        if !self.writable.is_empty() {
            grants.push(format!("writable: {}", self.writable.join(", ")));
        }
        if !self.capabilities.is_empty() {
            grants.push(format!("capabilities: {}", self.capabilities.join(", ")));
        }
        grants
    }

    /// What a component gets beyond what it imports, in words; empty for nothing.
    pub fn of_component(&self) -> Vec<String> {
        let mut grants = Vec::new();
        if !self.outgoing.is_empty() {
            grants.push(format!("sends requests to {}", self.outgoing.join(", ")));
        }
        if !self.folders.is_empty() {
            grants.push(format!("sees the folders {}", self.folders.join(", ")));
        }
        if !self.config.is_empty() {
            let names: Vec<&str> = self.config.keys().map(String::as_str).collect();
            grants.push(format!("is configured: {}", names.join(", ")));
        }
        grants
    }

    /// Checks what the form of the file does not.
    ///
    /// # Errors
    /// The first thing that cannot be granted.
    pub fn check(&self) -> Result<(), String> {
        if let Some(path) = self.writable.iter().find(|path| !path.starts_with('/') || path.as_str() == "/") {
            return Err(format!("`writable` names folders by their whole path in the container, and `{path}` is none"));
        }
        let is_capability = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        if let Some(name) = self.capabilities.iter().find(|name| !is_capability(name)) {
            return Err(format!("`{name}` is not a capability: write it like `NET_BIND_SERVICE`"));
        }
        if let Some(host) = self.outgoing.iter().find(|host| !is_authority(host)) {
            return Err(format!(
                "`outgoing` holds HOST or HOST:PORT, without a scheme or a path, and `{host}` is neither"
            ));
        }
        if let Some(folder) = self.folders.iter().find(|folder| !folder.contains("=/")) {
            return Err(format!("`folders` holds FOLDER=/PATH or FOLDER=/PATH:ro, and `{folder}` is neither"));
        }
        Ok(())
    }
}

/// Whether a text may be `HOST` or `HOST:PORT`.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_host = !host.is_empty() && host.chars().all(|char| char.is_ascii_alphanumeric() || "-._:[]".contains(char));
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
}

/// The most memory in bytes, unless a file says otherwise, of a container and of an instance of a component that somebody
/// brings: several times what any of the project's services needs.
pub const MEMORY_LIMIT: u64 = 512 << 20;

/// What an implementation may use; the same on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The most memory in MiB: of a container, and of each instance of a component.
    pub memory_mib: Option<u32>,
    /// The most processes and threads of a container.
    pub pids: u32,
    /// Seconds that a start may take before it counts as failed.
    pub start_s: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_mib: None, pids: 256, start_s: 60.0 }
    }
}

impl Limits {
    /// Checks what the form of the file does not.
    ///
    /// # Errors
    /// The first limit that is none.
    pub fn check(&self) -> Result<(), String> {
        if self.memory_mib == Some(0) || self.pids == 0 {
            return Err("a limit of 0 leaves nothing to run with".into());
        }
        if !(0.1..=600.0).contains(&self.start_s) {
            return Err(format!("`start_s` must lie between 0.1 and 600 seconds, not {}", self.start_s));
        }
        Ok(())
    }

    /// The most memory in bytes, if one is set.
    pub fn memory_bytes(&self) -> Option<u64> {
        self.memory_mib.map(|mebibytes| u64::from(mebibytes) << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_said_and_the_default_grants_nothing() {
        assert!(Needs::default().of_container(true).is_empty() && Needs::default().of_component().is_empty());
        let needs = Needs {
            user: Some("root".into()),
            writable_root: true,
            writable: vec!["/tmp".into()],
            capabilities: vec!["CHOWN".into()],
            outgoing: vec!["127.0.0.1:9".into()],
            folders: vec!["data=/data:ro".into()],
            config: [("a".to_owned(), "b".to_owned())].into(),
        };
        assert_eq!(needs.check(), Ok(()));
        assert_eq!(
            needs.of_container(false),
            ["runs as root", "writable root", "writable: /tmp", "capabilities: CHOWN"]
        );
        let of_component = ["sends requests to 127.0.0.1:9", "sees the folders data=/data:ro", "is configured: a"];
        assert_eq!(needs.of_component(), of_component);
    }

    #[test]
    fn what_cannot_be_granted_is_named() {
        let wrong = |needs: Needs| needs.check().unwrap_err();
        assert!(wrong(Needs { writable: vec!["tmp".into()], ..Needs::default() }).contains("`tmp`"));
        assert!(wrong(Needs { capabilities: vec!["all".into()], ..Needs::default() }).contains("`all`"));
        assert!(wrong(Needs { folders: vec!["data".into()], ..Needs::default() }).contains("`data`"));
        for host in ["http://a", "a/b", "a:b", "a:0", ""] {
            assert!(wrong(Needs { outgoing: vec![host.into()], ..Needs::default() }).contains(&format!("`{host}`")));
        }
        let right = ["a", "a.example:80", "127.0.0.1:8080", "[::1]:80", "[::1]"].map(str::to_owned).into();
        assert_eq!(Needs { outgoing: right, ..Needs::default() }.check(), Ok(()));
        assert!(Limits { pids: 0, ..Limits::default() }.check().is_err());
        assert!(Limits { start_s: f64::NAN, ..Limits::default() }.check().is_err());
    }
}
