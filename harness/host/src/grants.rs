//! What components may reach of the world. They reach nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, ensure};
use http::uri::Authority;

/// What every component of a process is granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct Grants {
    /// An environment variable that the components see. They see no other.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub env: Vec<(String, String)>,

    /// A value that the components find in `wasi:config/store`. They find no other.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub config: Vec<(String, String)>,

    /// Where the components may send HTTP requests to; the port is 80 unless it is named. Every other request is denied.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub outgoing: Vec<Destination>,

    /// A folder that the components see under another name; with `:ro` they may not write there. They see no other.
    #[arg(long = "dir", value_name = "HOST_DIR=GUEST_DIR[:ro]")]
    pub dirs: Vec<Preopen>,
}

/// Where a component may send requests to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    host: String,
    port: u16,
}

/// A folder of the machine that a component sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preopen {
    /// Where it is.
    pub host: PathBuf,
    /// What the component calls it.
    pub guest: String,
    /// Whether it may only be read.
    pub read_only: bool,
}

/// The port of HTTP.
const HTTP: u16 = 80;

impl Destination {
    /// The one that a URL's authority names, or `None` if its port is none.
    fn of(authority: &Authority) -> Option<Self> {
        let text = authority.as_str();
        let behind_user = text.rsplit_once('@').map_or(text, |(_, behind)| behind);
        let port = match behind_user.strip_prefix(authority.host())? {
            "" => HTTP,
            port => port.strip_prefix(':')?.parse().ok().filter(|port| *port != 0)?,
        };
        // Names of hosts know no case.
        Some(Self { host: authority.host().to_ascii_lowercase(), port })
    }

    /// Returns the name or the address of the host, and the port, to connect to.
    pub fn address(&self) -> (&str, u16) {
        // Brackets are of the authority, not of an address.
        (self.host.trim_start_matches('[').trim_end_matches(']'), self.port)
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not HOST or HOST:PORT, like `127.0.0.1:8080` or `example.org`");
        let authority: Authority = text.parse().map_err(|_| wrong())?;
        let plain = !text.contains('@') && !authority.host().is_empty();
        Self::of(&authority).filter(|_| plain).ok_or_else(wrong)
    }
}

impl FromStr for Preopen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not HOST_DIR=GUEST_DIR or HOST_DIR=GUEST_DIR:ro, like `data=/data:ro`");
        let (host, guest) = text.rsplit_once('=').ok_or_else(wrong)?;
        let (guest, read_only) = guest.strip_suffix(":ro").map_or((guest, false), |guest| (guest, true));
        if host.is_empty() || guest.is_empty() {
            return Err(wrong());
        }
        Ok(Self { host: host.into(), guest: guest.into(), read_only })
    }
}

/// Parses a name and its value.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err(format!("`{text}` is not NAME=VALUE")),
    }
}

impl Grants {
    /// Returns where a request to an authority goes, or `None` if that is not granted.
    pub fn destination(&self, authority: &Authority) -> Option<&Destination> {
        let asked = Destination::of(authority)?;
        self.outgoing.iter().find(|granted| **granted == asked)
    }

    /// The value of a name of `wasi:config/store`, or `None`; the last one counts.
    pub fn config(&self, name: &str) -> Option<&str> {
        self.config.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns all names of `wasi:config/store` with their values, each name once.
    pub fn config_pairs(&self) -> BTreeMap<&str, &str> {
        self.config.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// Checks that the folders are there.
    ///
    /// # Errors
    /// One is not, or is no folder.
    pub fn check_dirs(&self) -> anyhow::Result<()> {
        for Preopen { host, .. } in &self.dirs {
            let found = fs_err::metadata(host).context("a folder named by --dir cannot be opened")?;
            ensure!(found.is_dir(), "{} is named by --dir and is not a folder", host.display());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_host_and_a_port() {
        let grants = |text: &str| Grants { outgoing: vec![text.parse().unwrap()], ..Grants::default() };
        let allowed = |text: &str, authority: &'static str| {
            grants(text).destination(&Authority::from_static(authority)).is_some()
        };
        assert!(allowed("127.0.0.1:8080", "127.0.0.1:8080"));
        assert!(allowed("Example.org", "example.ORG:80"));
        assert!(allowed("[::1]:8080", "[::1]:8080"));
        for other in ["127.0.0.1:8081", "127.0.0.1", "127.0.0.2:8080", "localhost:8080"] {
            assert!(!allowed("127.0.0.1:8080", other), "{other}");
        }
        assert!(!allowed("127.0.0.1", "127.0.0.1:99999"), "what is no port is not port 80");
        assert!(Grants::default().destination(&Authority::from_static("127.0.0.1:80")).is_none());
        assert_eq!("[::1]:8080".parse::<Destination>().unwrap().address(), ("::1", 8080));
        for wrong in ["", "http://here", "here:0", "here:", "here:99999", "me@here", "a b", "here/path", ":80"] {
            assert!(wrong.parse::<Destination>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_folder_has_a_name_of_the_component_and_may_be_read_only() {
        let preopen = |text: &str| text.parse::<Preopen>();
        let expected = Preopen { host: "a=b".into(), guest: "/data".into(), read_only: true };
        assert_eq!(preopen("a=b=/data:ro"), Ok(expected));
        assert!(!preopen("data=/data").unwrap().read_only);
        for wrong in ["", "data", "=/data", "data=", "data=:ro"] {
            assert!(preopen(wrong).is_err(), "{wrong}");
        }
        let missing = Grants { dirs: vec![preopen("/nowhere/at/all=/data").unwrap()], ..Grants::default() };
        assert!(format!("{:#}", missing.check_dirs().unwrap_err()).contains("/nowhere/at/all"));
    }

    #[test]
    fn values_are_found_by_their_names() {
        let pairs = ["a=1", "b=x=y", "a=2"].map(|text| pair(text).unwrap());
        let grants = Grants { config: pairs.to_vec(), ..Grants::default() };
        assert_eq!(grants.config("a"), Some("2"));
        assert_eq!(grants.config("b"), Some("x=y"));
        assert_eq!(grants.config("c"), None);
        assert_eq!(grants.config_pairs().into_iter().collect::<Vec<_>>(), [("a", "2"), ("b", "x=y")]);
        assert!(pair("A").is_err() && pair("=1").is_err());
    }
}
