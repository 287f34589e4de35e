//! The service in a container of the Docker engine.

mod content;
mod target;

use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;
use tare_model::Side;

use self::content::Content;
use self::target::DockerTarget;
use super::{Common, Entry, Isolation, Platform, RunContext, Target, Variant};
use crate::artifacts::{Code, Guest, Product, Runtime};
use crate::engine::Engine;
use crate::sys::finding::Finding;
use crate::workload::{Implementation, Layout, Source, Workload};

/// The name of the platform of containers that an engine runs.
pub const NAME: &str = "docker";

/// The platform.
pub struct Docker;

/// A kind of image on a kind of network.
struct DockerVariant {
    entry: Entry,
    content: Content,
    /// Whether its port is published on a bridge; otherwise it is on the host's network.
    bridged: bool,
}

const fn variant(name: &'static str, summary: &'static str, content: Content) -> DockerVariant {
    DockerVariant { entry: Entry::new(NAME, name, summary), content, bridged: false }
}

const SCRATCH: DockerVariant = DockerVariant {
    entry: Entry::new(NAME, "scratch", "static musl binary in an empty image, host network: the smallest container")
        .differs(NAME, "scratch-glibc", "musl instead of glibc"),
    ..variant("", "", Content::Scratch(Product::MuslBinary))
};

const SCRATCH_GLIBC: DockerVariant = variant(
    "scratch-glibc",
    "static glibc binary in an empty image, host network: the fastest container",
    Content::Scratch(Product::StaticBinary),
);

const DEBIAN: DockerVariant = DockerVariant {
    entry: Entry::new(NAME, "debian", "glibc binary on slim Debian, published port on a bridge: the defaults")
        .default_of_its_side()
        .differs(NAME, "bridge", "Debian and its glibc instead of an empty image"),
    content: Content::Debian,
    bridged: true,
};

const BRIDGE: DockerVariant = DockerVariant {
    entry: Entry::new(
        NAME,
        "bridge",
        "as scratch-glibc, but behind a published port on a bridge: what the network costs",
    )
    .setting()
    .differs(NAME, "scratch-glibc", "a published port on a bridge instead of the host's network"),
    content: Content::Scratch(Product::StaticBinary),
    bridged: true,
};

const WASM: DockerVariant = DockerVariant {
    entry: Entry::new(NAME, "wasm", "the Wasm host and the component compiled ahead in an empty image, host network")
        .setting()
        .differs("wasmtime", "aot", "in a container"),
    ..variant("", "", Content::Wasm)
};

const IMAGE: DockerVariant = variant(
    "image",
    "an image that you bring, as it is, on the host's network: without what the engine's network costs",
    Content::Given,
);

const IMAGE_BRIDGE: DockerVariant = DockerVariant {
    entry: Entry::new(
        NAME,
        "image-bridge",
        "an image that you bring, as it is, published port on a bridge: the defaults",
    )
    .default_of_its_side()
    .differs(NAME, "image", "a published port on a bridge instead of the host's network"),
    content: Content::Given,
    bridged: true,
};

#[async_trait(?Send)]
impl Variant for DockerVariant {
    fn entry(&self) -> &Entry {
        &self.entry
    }

    fn takes(&self, implementation: &Implementation) -> Option<Vec<Product>> {
        let wasm = || {
            vec![
                Product::Guest(Guest::Component),
                Product::Ahead(Guest::Component, Runtime::Wasmtime, Code::Usual),
                Product::Host(Runtime::Wasmtime),
            ]
        };
        match (self.content, &implementation.source) {
            (Content::Scratch(product), Source::Workspace { .. }) => Some(vec![product]),
            (Content::Debian, Source::Workspace { .. }) => Some(vec![Product::DynamicBinary]),
            (Content::Wasm, Source::Workspace { .. }) => Some(wasm()),
            // No folder of this machine is in the container.
            (Content::Wasm, Source::Given(given)) if implementation.needs.folders.is_empty() => {
                given.component.as_ref().map(|_| wasm())
            }
            (Content::Given, Source::Given(given)) => given.image.as_ref().map(|_| vec![Product::GivenImage]),
            _ => None,
        }
    }

    fn isolation(&self) -> Isolation {
        match self.content {
            Content::Wasm => Isolation::COMPONENT,
            _ if self.bridged => Isolation::CONTAINER,
            _ => Isolation::CONTAINER_ON_HOST_NETWORK,
        }
    }

    async fn prepare(&self, context: &Rc<RunContext>, workload: Workload<'_>) -> Result<Box<dyn Target>> {
        let engine = context.engine()?.clone();
        let engine_settings = engine.info().await?.settings();
        let common = Common::new(context, workload, &self.entry);
        let filled = self.content.fill(&engine, &common, workload).await?;
        // Without them it has no size; everything else can be measured.
        let layers = engine.layers(&filled.image).await.map_err(|error| format!("{error:#}"));
        let (bridged, programs) = (self.bridged, engine_programs(context.engine()?));
        Ok(Box::new(DockerTarget { common, bridged, engine, engine_settings, filled, layers, programs }))
    }
}

#[async_trait(?Send)]
impl Platform for Docker {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a container of the Docker engine"
    }

    fn side(&self) -> Option<Side> {
        Some(Side::Container)
    }

    fn variants(&self) -> &'static [&'static dyn Variant] {
        &[&SCRATCH, &SCRATCH_GLIBC, &DEBIAN, &BRIDGE, &WASM, &IMAGE, &IMAGE_BRIDGE]
    }

    async fn preflight(&self, _: &Layout) -> Vec<Finding> {
        let what = "container engine";
        let (found, has_bridge) = match Engine::connect().await {
            Ok(engine) => (engine.info().await, engine.has_bridge().await),
            // The error carries its own remedy; without an engine the comparison runs and its cells are marked.
            Err(error) => {
                return vec![Finding::warning(what, "not usable: containers are left out", error.to_string())];
            }
        };
        let mut findings = vec![match found {
            Ok(info) => Finding::good(what, format!("{} {}, API {}", info.name, info.version, info.api)),
            Err(error) => Finding::warning(what, format!("{error:#}"), "see the engine's log"),
        }];
        if !has_bridge {
            findings.push(Finding::warning(
                "bridge network",
                "the engine has no network `bridge`: the variants with a published port are left out",
                "start the engine again without `\"bridge\": \"none\"` in its configuration",
            ));
        }
        if !nix::unistd::Uid::effective().is_root() {
            findings.push(Finding::warning(
                "container memory",
                "the memory of containers' processes is only readable by root",
                "run as root to have it; its cells are marked otherwise",
            ));
        }
        findings
    }
}

/// The program files that the engine consists of; empty where they cannot all be found.
fn engine_programs(engine: &Engine) -> Vec<PathBuf> {
    let found = || -> Option<Vec<PathBuf>> {
        let daemons = engine.daemons().ok()?;
        let running = [*daemons.engine.first()?, *daemons.containerd.first()?];
        let mut programs: Vec<PathBuf> =
            running.iter().filter_map(|pid| fs_err::read_link(format!("/proc/{pid}/exe")).ok()).collect();
        let path = std::env::var_os("PATH")?;
        for name in ["containerd-shim-runc-v2", "runc", "docker-proxy"] {
            programs.push(std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())?);
        }
        (programs.len() == 5).then_some(programs)
    };
    found().unwrap_or_default()
}
