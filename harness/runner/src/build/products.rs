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
    /// The service in WebAssembly.
    Guest(Guest),
    /// The same compiled ahead for this machine, for a host.
    Ahead(Guest, Runtime, Code),
    /// A host without a compiler, static with glibc.
    Host(Runtime),
    /// A host with its compilers.
    JitHost(Runtime),
    /// What starts containers without an engine.
    Starter,
}

/// A form of a service in WebAssembly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guest {
    /// A component of `wasi:http`.
    Component,
    /// The same without SIMD, for a compiler that does not have it.
    Plain,
    /// A component that exports one function of plain values.
    Direct,
    /// A program for WASI 0.1 that answers a request by CGI.
    Program,
}

/// How a guest is compiled ahead, where that is a setting whose worth is of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// As the runtime does it when nothing is said.
    Usual,
    /// Each instance copies the guest's data instead of mapping it.
    Copied,
}

impl Code {
    /// What its file's name ends in before the extension.
    fn suffix(self) -> &'static str {
        match self {
            Self::Usual => "",
            Self::Copied => "-copied",
        }
    }

    /// The arguments of the host that compiles.
    fn args(self) -> &'static [&'static str] {
        match self {
            Self::Usual => &[],
            Self::Copied => &["--copy-on-write", "off"],
        }
    }
}

/// What a host runs guests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Runtime {
    /// Wasmtime.
    Wasmtime,
    /// Wasmer.
    Wasmer,
    /// Wasmer by its own runner for programs, which has no compiler of its own here.
    Wasix,
}

impl Guest {
    /// What progress calls it.
    fn label(self) -> &'static str {
        match self {
            Self::Component => "Wasm components",
            Self::Plain => "Wasm components without SIMD",
            Self::Direct => "Wasm components without wasi:http",
            Self::Program => "WASI 0.1 programs",
        }
    }

    /// The target, the profile of the root manifest and further arguments. Cargo files what it builds by target and
    /// profile, so that no two forms may share both.
    fn cargo(self) -> (&'static str, &'static str, &'static [&'static str]) {
        match self {
            Self::Component => ("wasm32-wasip2", PROFILE, &[]),
            // Behind the flags of the project's configuration, which ask for it.
            Self::Plain => (
                "wasm32-wasip2",
                "service-plain",
                &["--config", "target.wasm32-wasip2.rustflags=['-Ctarget-feature=-simd128']"],
            ),
            Self::Direct => ("wasm32-wasip2", "service-direct", &["--features", "service-kit/direct"]),
            Self::Program => ("wasm32-wasip1", PROFILE, &[]),
        }
    }
}

impl Runtime {
    /// The folder of its host's package, under which cargo's answer files it.
    fn folder(self) -> &'static str {
        match self {
            Self::Wasmtime => "host-wasmtime",
            Self::Wasmer => "host-wasmer",
            Self::Wasix => "host-wasix",
        }
    }

    /// The name of its host's package, and of the binary without a compiler.
    pub fn package(self) -> String {
        format!("tare-{}", self.folder())
    }

    /// Whose host compiles ahead for it.
    fn compiler(self) -> Self {
        match self {
            Self::Wasix => Self::Wasmer,
            other => other,
        }
    }

    /// How a file compiled ahead for it ends.
    fn extension(self) -> &'static str {
        match self {
            Self::Wasmtime => "cwasm",
            Self::Wasmer => "wasmer",
            Self::Wasix => "wasix",
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

impl Product {
    /// The folder of its package, under which cargo's answer files it; nothing where there is one per service.
    fn folder(self) -> Option<&'static str> {
        match self {
            Self::Host(runtime) | Self::JitHost(runtime) => Some(runtime.folder()),
            Self::Starter => Some("oci"),
            _ => None,
        }
    }

    /// What must be built first.
    fn needs(self) -> Vec<Self> {
        match self {
            Self::Ahead(guest, runtime, _) => vec![Self::Guest(guest), Self::JitHost(runtime.compiler())],
            _ => Vec::new(),
        }
    }

    /// What progress calls it.
    fn label(self) -> String {
        match self {
            Self::MuslBinary => "services, static binaries with musl".into(),
            Self::StaticBinary => "services, static binaries with glibc".into(),
            Self::DynamicBinary => "services, dynamic binaries".into(),
            Self::Guest(guest) => format!("services, {}", guest.label()),
            Self::Ahead(guest, runtime, _) => format!("{}, compiled ahead for {runtime:?}", guest.label()),
            Self::Host(runtime) => format!("{runtime:?} host without compiler"),
            Self::JitHost(runtime) => format!("{runtime:?} host with compiler"),
            Self::Starter => "starter of containers without an engine".into(),
        }
    }

    fn cargo(self, services: &BTreeSet<String>) -> Option<CargoBuild> {
        let linux = |libc| Some(format!("{}-unknown-linux-{libc}", std::env::consts::ARCH));
        let bins = || vec!["--bins".to_owned()];
        let (target, profile, args) = match self {
            Self::MuslBinary => (linux("musl"), PROFILE, bins()),
            Self::StaticBinary => (linux("gnu"), PROFILE, bins()),
            Self::DynamicBinary | Self::Starter => (None, PROFILE, bins()),
            Self::Guest(guest) => {
                let (target, profile, further) = guest.cargo();
                let args = bins().into_iter().chain(further.iter().map(|&arg| arg.to_owned())).collect();
                (Some(target.into()), profile, args)
            }
            Self::Host(runtime) => (linux("gnu"), PROFILE, vec!["--bin".into(), runtime.package()]),
            Self::JitHost(runtime) => {
                let bin = format!("{}-jit", runtime.package());
                (None, PROFILE, vec!["--bin".into(), bin, "--features".into(), "compiler".into()])
            }
            Self::Ahead(..) => return None,
        };
        // For musl it is the default.
        let static_libc = matches!(self, Self::StaticBinary | Self::Host(_));
        let packages = match self.folder() {
            Some(folder) => vec![format!("tare-{folder}")],
            None => services.iter().map(|service| format!("service-{service}")).collect(),
        };
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
    (product, product.folder().unwrap_or(service).to_owned())
}

/// What is to be built, and of which services.
pub type Wanted = BTreeMap<Product, BTreeSet<String>>;

/// Builds these products of these services. What does not build is remembered with its reason; the rest goes on.
///
/// # Errors
/// When cargo cannot be run at all.
pub async fn build(layout: &Layout, wanted: &Wanted, mut progress: impl FnMut(&str)) -> Result<Products> {
    let mut all = wanted.clone();
    for (product, services) in wanted {
        for needed in product.needs() {
            all.entry(needed).or_default().extend(services.iter().cloned());
        }
    }
    let mut products = Products::default();
    for (product, services) in &all {
        let Some(cargo) = product.cargo(services) else { continue };
        let names =
            product.folder().map_or_else(|| services.iter().cloned().collect(), |folder| vec![folder.to_owned()]);
        progress(&product.label());
        let output = cargo.run(&layout.root, |what| progress(&format!("{}: {what}", product.label()))).await?;
        sort(layout, &mut products, *product, names, &output)?;
    }
    for (product, services) in all {
        let Product::Ahead(guest, runtime, code) = product else { continue };
        progress(&product.label());
        for service in services {
            match compile_ahead(layout, &products, &service, (guest, runtime, code)).await {
                Ok(file) => products.put(product, &service, file),
                Err(error) => products.fail(product, &service, format!("{error:#}")),
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
    let name = format!("{product:?}").to_lowercase().replace('(', "-").replace(", ", "-").replace(')', "");
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

async fn compile_ahead(
    layout: &Layout,
    products: &Products,
    service: &str,
    (guest, runtime, code): (Guest, Runtime, Code),
) -> Result<PathBuf> {
    let portable = products.file(Product::Guest(guest), service)?;
    let host = products.file(Product::JitHost(runtime.compiler()), service)?;
    let folder = layout.work().join("ahead").join(format!("{guest:?}").to_lowercase());
    fs_err::create_dir_all(&folder)?;
    let file = folder.join(format!("{service}{}.{}", code.suffix(), runtime.extension()));
    let mut command = Command::new(host);
    command.arg("compile").args(code.args()).arg(portable).arg(&file).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.with_context(|| format!("cannot run {}", host.display()))?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "compiling {} ahead failed: {}", layout.relative(portable), words.trim());
    Ok(file)
}
