//! The arguments that name a service without any file.

use std::path::PathBuf;

use tare_runner::Quick;
use tare_runner::workload::{Limits, Needs};

/// A service without any file.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "A service without any file")]
pub struct QuickArgs {
    /// A component of wasi:http 0.2
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,
    /// A program with its arguments; {port} and {addr} in them, and `PORT` and `LISTEN_ADDR`, say where to
    /// listen
    #[arg(long, value_name = "COMMAND")]
    pub program: Option<String>,
    /// A container image
    #[arg(long, value_name = "NAME")]
    pub image: Option<String>,
    /// A service that is running already on this machine, for load and latency
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The path of the one request, which must be answered with 200
    #[arg(long, alias = "path", value_name = "PATH", default_value = "/")]
    pub get: String,
    /// What to call it
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The port that the program, or what is in the image, listens on
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// An environment variable for it (repeat); it stands in the run's record
    #[arg(long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// What it needs beyond the hardened default: root, image-user, writable-root, writable=/PATH, cap=NAME, outgoing=HOST
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = parse_need)]
    pub needs: Vec<Need>,
    /// The most memory of it, in MiB
    #[arg(long, value_name = "MIB")]
    pub memory_mib: Option<u32>,
}

/// Something beyond the hardened default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    Root,
    ImageUser,
    WritableRoot,
    Writable(String),
    Capability(String),
    Outgoing(String),
}

fn parse_need(text: &str) -> Result<Need, String> {
    let (what, value) = text.split_once('=').unwrap_or((text, ""));
    match (what, value.is_empty()) {
        ("root", true) => Ok(Need::Root),
        ("image-user", true) => Ok(Need::ImageUser),
        ("writable-root", true) => Ok(Need::WritableRoot),
        ("writable", false) => Ok(Need::Writable(value.into())),
        ("cap", false) => Ok(Need::Capability(value.into())),
        ("outgoing", false) => Ok(Need::Outgoing(value.into())),
        _ => Err("it takes root, image-user, writable-root, writable=/PATH, cap=NAME and outgoing=HOST".into()),
    }
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::ImageUser => f.write_str("image-user"),
            Self::WritableRoot => f.write_str("writable-root"),
            Self::Writable(path) => write!(f, "writable={path}"),
            Self::Capability(name) => write!(f, "cap={name}"),
            Self::Outgoing(host) => write!(f, "outgoing={host}"),
        }
    }
}

impl QuickArgs {
    /// The service that is named, which need not be one.
    pub fn resolve(&self) -> Quick {
        let mut needs = Needs::default();
        for need in &self.needs {
            match need {
                Need::Root => needs.user = Some("root".into()),
                Need::ImageUser => needs.user = Some("image".into()),
                Need::WritableRoot => needs.writable_root = true,
                Need::Writable(path) => needs.writable.push(path.clone()),
                Need::Capability(name) => needs.capabilities.push(name.clone()),
                Need::Outgoing(host) => needs.outgoing.push(host.clone()),
            }
        }
        Quick {
            component: self.component.clone(),
            program: self.program.clone(),
            image: self.image.clone(),
            url: self.url.clone(),
            get: self.get.clone(),
            name: self.name.clone(),
            port: self.port,
            env: self.env.clone(),
            needs,
            limits: Limits { memory_mib: self.memory_mib, ..Limits::default() },
        }
    }

    /// The arguments as they were typed.
    pub(super) fn typed(&self) -> Vec<(&'static str, String)> {
        let text = |name, value: &Option<String>| value.clone().map(|value| (name, value));
        let mut typed: Vec<(&'static str, String)> = Vec::new();
        typed.extend(self.component.as_ref().map(|file| ("--component", file.display().to_string())));
        typed.extend(text("--program", &self.program));
        typed.extend(text("--image", &self.image));
        typed.extend(text("--url", &self.url));
        typed.extend((self.get != "/").then(|| ("--get", self.get.clone())));
        typed.extend(text("--name", &self.name));
        typed.extend(self.port.map(|port| ("--port", port.to_string())));
        typed.extend(self.env.iter().map(|pair| ("--env", pair.clone())));
        let needs: Vec<String> = self.needs.iter().map(Need::to_string).collect();
        typed.extend((!needs.is_empty()).then(|| ("--needs", needs.join(","))));
        typed.extend(self.memory_mib.map(|mebibytes| ("--memory-mib", mebibytes.to_string())));
        typed
    }
}
