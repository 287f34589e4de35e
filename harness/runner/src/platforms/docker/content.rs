//! What is in the images, and how what is in them is started.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tare_model::ArtifactRecord;

use super::super::target::Common;
use super::super::wasm::{Settings, grant_args, host_args};
use super::super::{MEMORY_LIMIT, wasmtime};
use super::NAME;
use crate::artifacts::{Code, Guest, Product, Runtime, artifact, file_size};
use crate::engine::{Engine, Hardening, Image, ImageConfig, ImageSpec};
use crate::workload::{Address, Given, GivenImage, ImageSource, Workload};

/// The port that what is in an image listens on, in a network of its own, where neither its file nor the image says.
const INNER_PORT: u16 = 8080;

/// What the variants' images are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A binary in an empty image.
    Scratch(Product),
    /// A binary on Debian.
    Debian,
    /// The Wasm host and a component in an empty image.
    Wasm,
    /// Whatever somebody brings.
    Given,
}

/// An image, and how what is in it is started.
pub(super) struct Filled {
    pub(super) image: Image,
    pub(super) start: Start,
    /// The most memory of a container in bytes.
    pub(super) memory_limit: u64,
}

/// How what is in an image is started.
pub(super) enum Start {
    /// A service of the workspace, which is told by its environment where to listen.
    Service,
    /// The Wasm host, which is told by its arguments.
    Host {
        settings: Settings,
        /// The arguments that grant the component what its file asks for.
        granted: Vec<String>,
        /// The same in words.
        grants: Vec<String>,
        /// The component that was compiled ahead into the image.
        component: Box<ArtifactRecord>,
        /// The size of the host in bytes.
        bytes: u64,
    },
    /// What somebody brings.
    Given(Box<GivenStart>),
}

/// How an image that somebody brings is started.
pub(super) struct GivenStart {
    /// Arguments for its entry point, which may hold where to listen; empty for its own.
    args: Vec<String>,
    /// The port that it listens on in a network of its own.
    port: u16,
    /// Whether it listens on that port on the host's network, too.
    is_fixed: bool,
    pub(super) hardening: Hardening,
    /// What it is granted beyond the default, in words.
    pub(super) grants: Vec<String>,
}

impl Content {
    /// Makes the image.
    pub(super) async fn fill(self, engine: &Engine, common: &Common, workload: Workload<'_>) -> Result<Filled> {
        let built = Built { engine, common, workload };
        match self {
            Self::Scratch(product) => built.image("scratch", &[(built.plain(), built.file(product)?)], None).await,
            Self::Debian => {
                let layout = &common.context.layout;
                let recipe = layout.root.join("containers/base.sh");
                let base = engine.ensure_base(&recipe, &layout.logs().join("base.log")).await?;
                built.image("debian", &[(built.plain(), built.file(Product::DynamicBinary)?)], Some(base)).await
            }
            Self::Wasm => built.host().await,
            Self::Given => {
                let given = workload.given().context("nothing was brought")?;
                let image = given.image.as_ref().context("no image was brought")?;
                built.given(given, image).await
            }
        }
    }
}

/// What an image is built of, and where.
struct Built<'a> {
    engine: &'a Engine,
    common: &'a Common,
    workload: Workload<'a>,
}

impl Built<'_> {
    fn plain(&self) -> String {
        self.workload.service.name.clone()
    }

    fn file(&self, product: Product) -> Result<PathBuf> {
        self.common.context.products.file(product, &self.workload.to_string()).map(Path::to_owned)
    }

    fn memory_limit(&self) -> u64 {
        self.common.memory_limit.unwrap_or(MEMORY_LIMIT)
    }

    /// The image's name: `tare/orders:scratch`.
    fn name(&self) -> String {
        format!("tare/{}:{}", self.workload.slug(), self.common.subject.variant)
    }

    fn log(&self) -> PathBuf {
        self.common.context.layout.logs().join(format!("image-{}.log", self.common.subject.slug()))
    }

    async fn image(
        &self,
        kind: &str,
        files: &[(String, PathBuf)],
        base: Option<crate::engine::Base>,
    ) -> Result<Filled> {
        let context = &self.common.context;
        let spec = ImageSpec {
            kind: kind.into(),
            name: self.name(),
            dockerfile: context.layout.root.join("containers").join(format!("{kind}.Dockerfile")),
            files: files.to_vec(),
            args: BTreeMap::from([("SERVICE".to_owned(), self.plain())]),
            base,
            run: context.run.clone(),
        };
        let image = self.engine.build_image(&spec, &self.log()).await?;
        Ok(Filled { image, start: Start::Service, memory_limit: self.memory_limit() })
    }

    async fn host(&self) -> Result<Filled> {
        let host = self.file(Product::Host(Runtime::Wasmtime))?;
        let ahead = self.file(Product::Ahead(Guest::Component, Runtime::Wasmtime, Code::Usual))?;
        let bytes = file_size(&host)?;
        let files = [(Runtime::Wasmtime.package(), host), (format!("{}.cwasm", self.plain()), ahead)];
        let filled = self.image("wasm", &files, None).await?;
        let portable = self.file(Product::Guest(Guest::Component))?;
        let component = artifact("component", self.common.context.layout.relative(&portable), &portable)?;
        let settings = wasmtime::AOT.settings(self.common, self.workload);
        let needs = &self.workload.implementation.needs;
        let (granted, grants) = (grant_args(needs, Path::new("")), needs.of_component());
        Ok(Filled { start: Start::Host { settings, granted, grants, component: Box::new(component), bytes }, ..filled })
    }

    async fn given(&self, given: &Given, image: &GivenImage) -> Result<Filled> {
        self.common.context.products.check(Product::GivenImage, &self.workload.to_string())?;
        let (taken, config) = match &image.source {
            ImageSource::Reference(reference) => self.engine.take_image(reference).await?,
            ImageSource::Dockerfile { file, context } => {
                // One image for all variants: they differ in how it is run.
                let name = format!("tare/{}:{NAME}", self.workload.slug());
                self.engine.build_folder(&name, file, context, &self.log()).await?
            }
        };
        let needs = &self.workload.implementation.needs;
        let own = (!config.is_root()).then(|| config.user.clone());
        let usual = Hardening::default();
        let user = match needs.user.as_deref() {
            None => own.or(usual.user),
            Some("image") if config.is_root() => Some("0:0".into()),
            Some("image") => None,
            // An empty image has no list of users to look the name up in.
            Some("root") => Some("0:0".into()),
            Some(user) => Some(user.to_owned()),
        };
        let hardening = Hardening {
            user,
            writable_root: needs.writable_root,
            writable: needs.writable.clone(),
            capabilities: needs.capabilities.clone(),
        };
        let start = GivenStart {
            args: image.args.clone(),
            port: port(given, &config),
            is_fixed: is_fixed(given, &config, image, &self.common.env),
            hardening,
            grants: needs.of_container(config.is_root()),
        };
        Ok(Filled { image: taken, start: Start::Given(Box::new(start)), memory_limit: self.memory_limit() })
    }
}

/// The port that what is in an image listens on in a network of its own: as its file says, or the image, or the usual one.
fn port(given: &Given, config: &ImageConfig) -> u16 {
    given.port.or_else(|| config.ports.first().copied()).unwrap_or(INNER_PORT)
}

/// Whether it listens on that port wherever it is: where a port is named and nothing tells it another.
fn is_fixed(given: &Given, config: &ImageConfig, image: &GivenImage, env: &BTreeMap<String, String>) -> bool {
    let is_told = |text: &String| text.contains("{port}") || text.contains("{addr}");
    let told = image.args.iter().chain(env.values()).any(is_told);
    !told && (given.port.is_some() || !config.ports.is_empty())
}

impl Filled {
    /// The environment, the arguments, and where it listens in its network and is reached from here.
    pub(super) fn command(&self, common: &Common, bridged: bool) -> Result<Command> {
        let fixed = match &self.start {
            Start::Given(start) if start.is_fixed && !bridged => Some(start.port),
            _ => None,
        };
        let reached = Address::pick(fixed)?;
        let inner = match &self.start {
            Start::Given(start) => start.port,
            Start::Service | Start::Host { .. } => INNER_PORT,
        };
        let listens = if bridged { Address((Ipv4Addr::UNSPECIFIED, inner).into()) } else { reached };
        let (env, args) = match &self.start {
            Start::Service => (common.env_listening_on(&listens.0.to_string()), Vec::new()),
            Start::Host { settings, granted, .. } => {
                let served = format!("{}=/service.cwasm@{}", common.subject.service, listens.0);
                let mut args = vec!["--service".to_owned(), served];
                args.extend(host_args(common, settings));
                args.extend(granted.iter().cloned());
                (BTreeMap::new(), args)
            }
            Start::Given(start) => (listens.env(&common.env), start.args.iter().map(|arg| listens.fill(arg)).collect()),
        };
        Ok(Command { env, args, listens: listens.0, reached: reached.0 })
    }

    /// The port on which it always listens on the host's network; `None` where it takes what it is told.
    pub(super) fn fixed_port(&self) -> Option<u16> {
        match &self.start {
            Start::Given(start) if start.is_fixed => Some(start.port),
            _ => None,
        }
    }
}

/// How a container is started and reached.
pub(super) struct Command {
    pub(super) env: BTreeMap<String, String>,
    pub(super) args: Vec<String>,
    /// Where it listens, in its own network.
    pub(super) listens: SocketAddr,
    /// Where it is reached from here.
    pub(super) reached: SocketAddr,
}
