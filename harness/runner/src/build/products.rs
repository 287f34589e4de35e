//! What can be built, and building it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use super::cargo::{CargoBuild, CargoOutput};
use crate::layout::Layout;

/// A kind of thing that is built; the first five once per service.
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
    /// The component compiled ahead for this machine.
    Ahead,
    /// The Wasmtime host without a compiler, static with glibc.
    Host,
    /// The Wasmtime host with its compiler.
    JitHost,
}

/// Everything that was built, and why something was not.
#[derive(Debug, Default)]
pub struct Products {
    files: BTreeMap<(Product, String), PathBuf>,
    failures: BTreeMap<(Product, String), String>,
}

/// The profile of the root manifest that everything measured is built with.
const PROFILE: &str = "service";

/// The folder of the host's package, under which cargo's answer files it.
const HOST: &str = "host-wasmtime";

impl Product {
    /// Whether there is one per service.
    fn per_service(self) -> bool {
        !matches!(self, Self::Host | Self::JitHost)
    }

    /// What must be built first.
    fn needs(self) -> &'static [Self] {
        match self {
            Self::Ahead => &[Self::Component, Self::JitHost],
            _ => &[],
        }
    }

    /// What progress calls it.
    fn label(self) -> &'static str {
        match self {
            Self::MuslBinary => "services, static binaries with musl",
            Self::StaticBinary => "services, static binaries with glibc",
            Self::DynamicBinary => "services, dynamic binaries",
            Self::Component => "services, Wasm components",
            Self::Ahead => "components, compiled ahead",
            Self::Host => "Wasmtime host without compiler",
            Self::JitHost => "Wasmtime host with compiler",
        }
    }

    fn cargo(self, services: &[String]) -> Option<CargoBuild> {
        let linux = |libc| Some(format!("{}-unknown-linux-{libc}", std::env::consts::ARCH));
        let (target, args): (_, &[&str]) = match self {
            Self::MuslBinary => (linux("musl"), &["--bins"]),
            Self::StaticBinary => (linux("gnu"), &["--bins"]),
            Self::DynamicBinary => (None, &["--bins"]),
            Self::Component => (Some("wasm32-wasip2".into()), &["--bins"]),
            Self::Host => (linux("gnu"), &["--bin", "tare-host-wasmtime"]),
            Self::JitHost => (None, &["--bin", "tare-host-wasmtime-jit", "--features", "compiler"]),
            Self::Ahead => return None,
        };
        // For musl it is the default.
        let static_libc = matches!(self, Self::StaticBinary | Self::Host);
        let packages = if self.per_service() {
            services.iter().map(|service| format!("service-{service}")).collect()
        } else {
            vec![format!("tare-{HOST}")]
        };
        let args = args.iter().map(ToString::to_string).collect();
        Some(CargoBuild { packages, target, profile: PROFILE, static_libc, args })
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
    (product, if product.per_service() { service } else { HOST }.to_owned())
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
        let names = if product.per_service() { services.to_vec() } else { vec![HOST.to_owned()] };
        progress(product.label());
        let output = cargo.run(&layout.root, |what| progress(&format!("{}: {what}", product.label()))).await?;
        sort(layout, &mut products, *product, names, &output)?;
    }
    if all.contains(&Product::Ahead) {
        progress(Product::Ahead.label());
        for service in services {
            match compile_ahead(layout, &products, service).await {
                Ok(file) => products.put(Product::Ahead, service, file),
                Err(error) => products.fail(Product::Ahead, service, format!("{error:#}")),
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
    let log = layout.logs().join(format!("build-{product:?}.log").to_lowercase());
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

async fn compile_ahead(layout: &Layout, products: &Products, service: &str) -> Result<PathBuf> {
    let component = products.file(Product::Component, service)?;
    let host = products.file(Product::JitHost, service)?;
    let folder = layout.work().join("ahead");
    fs_err::create_dir_all(&folder)?;
    let file = folder.join(format!("{service}.cwasm"));
    let mut command = Command::new(host);
    command.arg("compile").arg(component).arg(&file).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.with_context(|| format!("cannot run {}", host.display()))?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "compiling {} ahead failed: {}", layout.relative(component), words.trim());
    Ok(file)
}
