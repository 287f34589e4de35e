//! Services, and where their artifacts come from.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use tare_model::{DEFAULT_IMPLEMENTATION, Subject, VariantId};

use super::{Limits, Needs, Scenario};

/// What is asked: requests, their right answers, and a load; and who gives the answers.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name, a part of file, container and image names; see [`tare_model::check_name`].
    pub name: String,
    /// Its requests and right answers.
    pub scenario: Scenario,
    /// Where its artifacts come from, by different toolchains or at different revisions; one at least.
    pub implementations: Vec<Implementation>,
}

/// Where a service's artifacts come from.
#[derive(Debug, Clone)]
pub struct Implementation {
    /// Its name.
    pub name: String,
    /// The artifacts, or how they are made.
    pub source: Source,
    /// The environment that it gets on every platform, beside the scenario's. Values may hold `{port}` and `{addr}`.
    pub env: BTreeMap<String, String>,
    /// What it needs beyond the hardened default of its platforms.
    pub needs: Needs,
    /// What it may use.
    pub limits: Limits,
}

impl Implementation {
    /// One that needs nothing beyond the default.
    pub fn of(name: &str, source: Source) -> Self {
        let (env, needs, limits) = (BTreeMap::new(), Needs::default(), Limits::default());
        Self { name: name.into(), source, env, needs, limits }
    }
}

/// The artifacts of an implementation, or how they are made.
#[derive(Debug, Clone)]
pub enum Source {
    /// A crate of the workspace: every form of it can be built.
    Workspace {
        /// The crate's folder under services/.
        folder: String,
    },
    /// What somebody brings.
    Given(Box<Given>),
    /// A service that is running already, on this machine.
    Running(SocketAddr),
}

/// Artifacts that somebody brings; those that are there.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The folder that relative paths and commands are relative to.
    pub folder: PathBuf,
    /// The port that the program, or what is in the image, listens on. `None` where it takes the one that it is told.
    pub port: Option<u16>,
    /// A component.
    pub component: Option<GivenComponent>,
    /// A program.
    pub program: Option<GivenProgram>,
    /// An image.
    pub image: Option<GivenImage>,
}

/// A component that somebody brings.
#[derive(Debug, Clone)]
pub struct GivenComponent {
    /// The file.
    pub file: PathBuf,
    /// What makes it.
    pub build: Option<Build>,
}

/// A program that somebody brings.
#[derive(Debug, Clone)]
pub struct GivenProgram {
    /// The program and its arguments, which may hold `{port}` and `{addr}`.
    pub command: Vec<String>,
    /// What makes it.
    pub build: Option<Build>,
}

/// An image that somebody brings.
#[derive(Debug, Clone)]
pub struct GivenImage {
    /// Which one.
    pub source: ImageSource,
    /// Arguments for its entry point in place of its own, which may hold `{port}` and `{addr}`; empty for its own.
    pub args: Vec<String>,
    /// What makes it.
    pub build: Option<Build>,
}

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// A name: it is there, or the engine pulls it.
    Reference(String),
    /// A Dockerfile and the folder that it is built in.
    Dockerfile {
        /// The Dockerfile, relative to the context.
        file: String,
        /// The folder that is sent to the engine.
        context: PathBuf,
    },
}

/// A command that makes an artifact: a program and its arguments, run in the manifest's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build(pub Vec<String>);

/// A service in one of its implementations.
#[derive(Debug, Clone, Copy)]
pub struct Workload<'a> {
    /// The service.
    pub service: &'a Service,
    /// The implementation.
    pub implementation: &'a Implementation,
}

impl Workload<'_> {
    /// It in a variant.
    pub fn subject(&self, id: &VariantId) -> Subject {
        id.of(&self.service.name, &self.implementation.name)
    }

    /// A name for its files: `orders`, or `orders-go` for an implementation that is not the default.
    pub fn slug(&self) -> String {
        self.to_string().replace(':', "-")
    }

    /// What was brought for it; `None` where it is of the workspace or runs already.
    pub fn given(&self) -> Option<&Given> {
        match &self.implementation.source {
            Source::Given(given) => Some(given),
            Source::Workspace { .. } | Source::Running(_) => None,
        }
    }

    /// The environment of the scenario and of the implementation, which wins.
    pub fn env(&self) -> BTreeMap<String, String> {
        let mut env = self.service.scenario.env.clone();
        env.extend(self.implementation.env.clone());
        env
    }
}

impl fmt::Display for Workload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.service.name)?;
        if self.implementation.name == DEFAULT_IMPLEMENTATION {
            Ok(())
        } else {
            write!(f, ":{}", self.implementation.name)
        }
    }
}

impl Service {
    /// It in each of its implementations.
    pub fn workloads(&self) -> impl Iterator<Item = Workload<'_>> {
        self.implementations.iter().map(|implementation| Workload { service: self, implementation })
    }

    /// Whether the workspace builds an implementation of it.
    pub fn is_built_in(&self) -> bool {
        self.implementations.iter().any(|implementation| matches!(implementation.source, Source::Workspace { .. }))
    }
}

/// A folder that should hold a service and does not.
#[derive(Debug)]
pub struct Broken {
    /// The folder's name.
    pub name: String,
    /// What is wrong.
    pub error: anyhow::Error,
}
