//! The service in a container of the Docker engine.

mod target;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;

use self::target::DockerTarget;
use super::{Beside, Common, Isolation, Platform, Role, Side, Target, Variant, World};
use crate::build::{Code, Guest, Product, Runtime, artifact, file_size};
use crate::engine::{Engine, ImageSpec, daemons};
use crate::layout::Service;
use crate::preflight::Finding;

const NAME: &str = "docker";

/// See the module.
pub struct Docker;

const VARIANTS: &[Variant] = &[
    Variant {
        name: "scratch",
        summary: "static musl binary in an empty image, host network: the smallest container",
        products: &[Product::MuslBinary],
        role: Role::Headline,
        beside: Some(Beside { setting: "docker/scratch-glibc", what: "musl instead of glibc" }),
    },
    Variant {
        name: "scratch-glibc",
        summary: "static glibc binary in an empty image, host network: the fastest container",
        products: &[Product::StaticBinary],
        role: Role::Headline,
        beside: None,
    },
    Variant {
        name: "debian",
        summary: "glibc binary on slim Debian, published port on a bridge: the defaults",
        products: &[Product::DynamicBinary],
        role: Role::Headline,
        beside: Some(Beside { setting: "docker/bridge", what: "Debian and its glibc instead of an empty image" }),
    },
    Variant {
        name: "bridge",
        summary: "as scratch-glibc, but behind a published port on a bridge: what the network costs",
        products: &[Product::StaticBinary],
        role: Role::Setting,
        beside: Some(Beside {
            setting: "docker/scratch-glibc",
            what: "a published port on a bridge instead of the host's network",
        }),
    },
    Variant {
        name: "wasm",
        summary: "the Wasm host and the component compiled ahead in an empty image, host network",
        products: &[
            Product::Guest(Guest::Component),
            Product::Ahead(Guest::Component, Runtime::Wasmtime, Code::Usual),
            Product::Host(Runtime::Wasmtime),
        ],
        role: Role::Setting,
        beside: Some(Beside { setting: "wasmtime/aot", what: "in a container" }),
    },
];

/// Whether a variant's port is published on a bridge; the others are on the host's network.
fn is_bridged(variant: &str) -> bool {
    matches!(variant, "debian" | "bridge")
}

/// What the variants' images are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A binary in an empty image.
    Scratch(Product),
    /// A binary on Debian.
    Debian,
    /// The Wasm host and a component in an empty image.
    Wasm,
}

impl Kind {
    /// By what has to be built for a variant.
    fn of(variant: &Variant) -> Self {
        match variant.products {
            [product @ (Product::MuslBinary | Product::StaticBinary)] => Self::Scratch(*product),
            [Product::DynamicBinary] => Self::Debian,
            _ => Self::Wasm,
        }
    }

    /// The name of its Dockerfile, and of the image kind.
    fn name(self) -> &'static str {
        match self {
            Self::Scratch(_) => "scratch",
            Self::Debian => "debian",
            Self::Wasm => "wasm",
        }
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

    fn variants(&self) -> &'static [Variant] {
        VARIANTS
    }

    fn isolation(&self, variant: &Variant) -> Isolation {
        match Kind::of(variant) {
            Kind::Wasm => Isolation::COMPONENT,
            _ if is_bridged(variant.name) => Isolation::CONTAINER,
            _ => Isolation::CONTAINER_ON_HOST_NETWORK,
        }
    }

    async fn preflight(&self) -> Vec<Finding> {
        let what = "container engine";
        let found = match Engine::connect().await {
            Ok(engine) => engine.info().await,
            // The error carries its own remedy; without an engine the comparison runs and its cells are marked.
            Err(error) => {
                return vec![Finding::warning(what, "not usable: containers are left out", error.to_string())];
            }
        };
        let mut findings = vec![match found {
            Ok(info) => Finding::good(what, format!("{} {}, API {}", info.name, info.version, info.api)),
            Err(error) => Finding::warning(what, format!("{error:#}"), "see the engine's log"),
        }];
        if !nix::unistd::Uid::effective().is_root() {
            findings.push(Finding::warning(
                "container memory",
                "the memory of containers' processes is only readable by root",
                "run as root to have it; its cells are marked otherwise",
            ));
        }
        findings
    }

    async fn prepare(&self, world: &Rc<World>, service: &Service, variant: &Variant) -> Result<Box<dyn Target>> {
        let engine = world.engine()?.clone();
        let engine_settings = engine.info().await?.settings();
        let kind = Kind::of(variant);
        let logs = world.layout.logs();
        let containers = world.layout.root.join("containers");
        let file = |product| world.products.file(product, &service.name).map(Path::to_owned);
        let plain = service.name.clone();
        let (files, base) = match kind {
            Kind::Scratch(product) => (vec![(plain, file(product)?)], None),
            Kind::Debian => {
                let base = engine.ensure_base(&containers.join("base.sh"), &logs.join("base.log")).await?;
                (vec![(plain, file(Product::DynamicBinary)?)], Some(base))
            }
            Kind::Wasm => {
                let host = (Runtime::Wasmtime.package(), file(Product::Host(Runtime::Wasmtime))?);
                (
                    vec![
                        host,
                        (
                            format!("{plain}.cwasm"),
                            file(Product::Ahead(Guest::Component, Runtime::Wasmtime, Code::Usual))?,
                        ),
                    ],
                    None,
                )
            }
        };
        let spec = ImageSpec {
            kind: kind.name().into(),
            name: format!("tare/{}:{}", service.name, variant.name),
            dockerfile: containers.join(format!("{}.Dockerfile", kind.name())),
            files,
            args: BTreeMap::from([("SERVICE".to_owned(), service.name.clone())]),
            base,
            run: world.run.clone(),
        };
        let log = logs.join(format!("image-{}-{}.log", service.name, variant.name));
        let image = engine.build_image(&spec, &log).await?;
        let layers = engine.layers(&image).await?;
        let programs = engine_programs();
        let (mut host, mut component) = (None, None);
        if kind == Kind::Wasm {
            host = Some(file_size(&file(Product::Host(Runtime::Wasmtime))?)?);
            let portable = file(Product::Guest(Guest::Component))?;
            component = Some(artifact("component", world.layout.relative(&portable), &portable)?);
        }
        let common = Common::new(world, service, NAME, variant);
        Ok(Box::new(DockerTarget { common, kind, engine, engine_settings, image, layers, component, host, programs }))
    }
}

/// The program files that the engine consists of; none where they cannot all be found.
fn engine_programs() -> Vec<PathBuf> {
    let found = || -> Option<Vec<PathBuf>> {
        let daemons = daemons().ok()?;
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
