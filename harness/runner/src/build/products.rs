//! What can be built, and building it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use super::cargo::{CargoBuild, CargoOutput};
use crate::layout::Layout;

/// A kind of thing that is built: for each service, or a host that serves them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// The service as a static binary with musl.
    MuslBinary,
    /// The service as a static binary with glibc.
    StaticBinary,
    /// The service as a binary that finds glibc where it runs.
    DynamicBinary,
    /// The service as a Wasm component.
    Component,
    /// The same without SIMD, for a compiler that does not have it.
    PlainComponent,
    /// The component compiled ahead for this machine, by a host and for it.
    Ahead(Runtime),
    /// A host without a compiler, static with glibc.
    Host(Runtime),
    /// A host with its compilers.
    JitHost(Runtime),
}

/// What a host runs components on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Runtime {
    /// Wasmtime.
    Wasmtime,
    /// Wasmer.
    Wasmer,
}

impl Runtime {
    /// The folder of its host's package, under which cargo's answer files it.
    fn folder(self) -> &'static str {
        match self {
            Self::Wasmtime => "host-wasmtime",
            Self::Wasmer => "host-wasmer",
        }
    }

    /// The name of its host's package, and of the binary without a compiler.
    pub fn package(self) -> String {
        format!("tare-{}", self.folder())
    }

    /// How a file compiled ahead for it ends.
    fn extension(self) -> &'static str {
        match self {
            Self::Wasmtime => "cwasm",
            Self::Wasmer => "wasmer",
        }
    }
}

/// Everything that was built, and why something was not.
#[derive(Debug, Default)]
pub struct Products {
    files: BTreeMap<(Product, String), PathBuf>,
    failures: BTreeMap<(Product, String), String>,
}

/// The profile of the root manifest that everything measured is built with.
const PROFILE: &str = "service";

/// And that of components without SIMD.
const PLAIN_PROFILE: &str = "service-plain";

impl Product {
    /// The runtime whose host it is; nothing where there is one per service.
    fn host(self) -> Option<Runtime> {
        match self {
            Self::Host(runtime) | Self::JitHost(runtime) => Some(runtime),
            _ => None,
        }
    }

    /// What must be built first.
    fn needs(self) -> Vec<Self> {
        match self {
            Self::Ahead(runtime) => vec![Self::Component, Self::JitHost(runtime)],
            _ => Vec::new(),
        }
    }

    /// What progress calls it.
    fn label(self) -> String {
        match self {
            Self::MuslBinary => "services, static binaries with musl".into(),
            Self::StaticBinary => "services, static binaries with glibc".into(),
            Self::DynamicBinary => "services, dynamic binaries".into(),
            Self::Component => "services, Wasm components".into(),
            Self::PlainComponent => "services, Wasm components without SIMD".into(),
            Self::Ahead(runtime) => format!("components, compiled ahead for {runtime:?}"),
            Self::Host(runtime) => format!("{runtime:?} host without compiler"),
            Self::JitHost(runtime) => format!("{runtime:?} host with compiler"),
        }
    }

    fn cargo(self, services: &[String]) -> Option<CargoBuild> {
        let linux = |libc| Some(format!("{}-unknown-linux-{libc}", std::env::consts::ARCH));
        let bins = || vec!["--bins".to_owned()];
        let (target, args) = match self {
            Self::MuslBinary => (linux("musl"), bins()),
            Self::StaticBinary => (linux("gnu"), bins()),
            Self::DynamicBinary => (None, bins()),
            Self::Component => (Some("wasm32-wasip2".into()), bins()),
            Self::PlainComponent => {
                // Behind the flags of the project's configuration, which ask for it.
                let without = "target.wasm32-wasip2.rustflags=['-Ctarget-feature=-simd128']";
                (Some("wasm32-wasip2".into()), vec!["--bins".into(), "--config".into(), without.into()])
            }
            Self::Host(runtime) => (linux("gnu"), vec!["--bin".into(), runtime.package()]),
            Self::JitHost(runtime) => {
                let bin = format!("{}-jit", runtime.package());
                (None, vec!["--bin".into(), bin, "--features".into(), "compiler".into()])
            }
            Self::Ahead(_) => return None,
        };
        // For musl it is the default.
        let static_libc = matches!(self, Self::StaticBinary | Self::Host(_));
        let packages = match self.host() {
            Some(runtime) => vec![runtime.package()],
            None => services.iter().map(|service| format!("service-{service}")).collect(),
        };
        let profile = if self == Self::PlainComponent { PLAIN_PROFILE } else { PROFILE };
        Some(CargoBuild { packages, target, static_libc, profile, args })
    }
}

impl Products {
    /// A product's file; `service` is not looked at for the hosts.
    ///
    /// # Errors
    /// Why it was not built.
    pub fn file(&self, product: Product, service: &str) -> Result<&Path> {
        let key = key(product, service);
        if let Some(file) = self.files.get(&key) {
            return Ok(file);
        }
        let reason = self.failures.get(&key).map_or("it was not asked for", String::as_str);
        bail!("{} ({}) could not be built: {reason}", key.1, product.label());
    }

    fn put(&mut self, product: Product, name: &str, file: PathBuf) {
        self.files.insert((product, name.to_owned()), file);
    }

    fn fail(&mut self, product: Product, name: &str, reason: String) {
        self.failures.insert((product, name.to_owned()), reason);
    }
}

fn key(product: Product, service: &str) -> (Product, String) {
    let name = match product.host() {
        Some(runtime) => runtime.folder(),
        None => service,
    };
    (product, name.to_owned())
}

/// Builds these products for these services. What does not build is remembered with its reason; the rest goes on.
///
/// # Errors
/// When cargo cannot be run at all.
pub async fn build(
    layout: &Layout,
    wanted: &BTreeSet<Product>,
    services: &[String],
    mut progress: impl FnMut(&str),
) -> Result<Products> {
    let mut all: BTreeSet<Product> = wanted.clone();
    all.extend(wanted.iter().flat_map(|product| product.needs()));
    let mut products = Products::default();
    for product in &all {
        let Some(cargo) = product.cargo(services) else { continue };
        let names = product.host().map_or_else(|| services.to_vec(), |runtime| vec![runtime.folder().to_owned()]);
        progress(&product.label());
        let output = cargo.run(&layout.root, |what| progress(&format!("{}: {what}", product.label()))).await?;
        sort(layout, &mut products, *product, names, &output)?;
    }
    for product in all {
        let Product::Ahead(runtime) = product else { continue };
        progress(&product.label());
        for service in services {
            match compile_ahead(layout, &products, service, runtime).await {
                Ok(file) => products.put(product, service, file),
                Err(error) => products.fail(product, service, format!("{error:#}")),
            }
        }
    }
    Ok(products)
}

/// Files what cargo built, and the reasons for what it did not.
fn sort(
    layout: &Layout,
    products: &mut Products,
    product: Product,
    names: Vec<String>,
    output: &CargoOutput,
) -> Result<()> {
    let name = format!("{product:?}").to_lowercase().replace('(', "-").replace(')', "");
    let log = layout.logs().join(format!("build-{name}.log"));
    if !output.errors.is_empty() {
        fs_err::create_dir_all(layout.logs())?;
        fs_err::write(&log, &output.errors)?;
    }
    for name in names {
        match output.files.get(&name) {
            Some(file) => products.put(product, &name, file.clone()),
            None => {
                let first =
                    output.errors.lines().find(|line| line.starts_with("error")).unwrap_or("cargo built no file");
                products.fail(product, &name, format!("{first}; see {}", layout.relative(&log)));
            }
        }
    }
    Ok(())
}

async fn compile_ahead(layout: &Layout, products: &Products, service: &str, runtime: Runtime) -> Result<PathBuf> {
    let component = products.file(Product::Component, service)?;
    let host = products.file(Product::JitHost(runtime), service)?;
    let folder = layout.work().join("ahead");
    fs_err::create_dir_all(&folder)?;
    let file = folder.join(format!("{service}.{}", runtime.extension()));
    let mut command = Command::new(host);
    command.arg("compile").arg(component).arg(&file).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.with_context(|| format!("cannot run {}", host.display()))?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "compiling {} ahead failed: {}", layout.relative(component), words.trim());
    Ok(file)
}
