//! The service as a component on the project's Wasmtime host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;
use tare_model::ArtifactRecord;
use tare_model::protocol::Command;

use super::native::ProcessInstance;
use super::{Common, Deployed, Launched, Platform, Startup, Target, Variant, World};
use crate::affinity;
use crate::build::{Product, artifact, compressed_size, file_size};
use crate::clock::monotonic_ns;
use crate::layout::Service;
use crate::preflight::Finding;
use crate::process::{Process, Program};
use crate::sampling::pss_bytes;

const NAME: &str = "wasmtime";

/// See the module.
pub struct Wasmtime;

const AHEAD: &[Product] = &[Product::Component, Product::Ahead, Product::Host];
const AT_START: &[Product] = &[Product::Component, Product::JitHost];

const VARIANTS: &[Variant] = &[
    Variant {
        name: "aot",
        summary: "compiled ahead, host without a compiler, a fresh pooled instance for each request",
        products: AHEAD,
    },
    Variant { name: "jit", summary: "as aot, but compiled at start, nothing cached", products: AT_START },
    Variant { name: "reuse", summary: "as aot, but an instance serves up to 128 requests", products: AHEAD },
    Variant {
        name: "stock",
        summary: "as aot, but with the instance settings that `wasmtime serve` has by default",
        products: AHEAD,
    },
];

/// The settings of a variant, as the host's arguments and as they stand in the record.
fn settings(variant: &str) -> Vec<(&'static str, &'static str)> {
    // The stock server takes the pooling allocator where there is address space for it, as here, and leaves the rest at
    // Wasmtime's defaults.
    let (keep_resident, pagemap_scan) = if variant == "stock" { ("0", "off") } else { ("65536", "auto") };
    vec![
        ("allocator", "pooling"),
        ("keep-resident", keep_resident),
        ("pagemap-scan", pagemap_scan),
        ("reuse", if variant == "reuse" { "128" } else { "1" }),
        ("memory-limit", "67108864"),
        ("deadline", "10s"),
    ]
}

#[async_trait(?Send)]
impl Platform for Wasmtime {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the component on Wasmtime, one host process per service"
    }

    fn variants(&self) -> &'static [Variant] {
        VARIANTS
    }

    async fn preflight(&self) -> Vec<Finding> {
        Vec::new()
    }

    async fn prepare(&self, world: &Rc<World>, service: &Service, variant: &Variant) -> Result<Box<dyn Target>> {
        let file = |product| world.products.file(product, &service.name).map(Path::to_owned);
        let component = file(Product::Component)?;
        let jit = variant.products.contains(&Product::JitHost);
        let (host, code) =
            if jit { (file(Product::JitHost)?, None) } else { (file(Product::Host)?, Some(file(Product::Ahead)?)) };
        Ok(Box::new(WasmtimeTarget { common: Common::new(world, service, NAME, variant), component, host, code }))
    }
}

struct WasmtimeTarget {
    common: Common,
    component: PathBuf,
    host: PathBuf,
    /// The component compiled ahead; without it the host compiles the component at start.
    code: Option<PathBuf>,
}

impl WasmtimeTarget {
    /// What the host is given to serve.
    fn served(&self) -> &Path {
        self.code.as_ref().unwrap_or(&self.component)
    }

    fn start(&self, args: Vec<String>, commands: bool) -> Result<(Process, u64)> {
        let mut all = vec!["serve".to_owned()];
        all.extend(args);
        all.extend(host_args(&self.common));
        let program = Program { path: &self.host, args: all, env: BTreeMap::new(), commands, log: self.common.log() };
        Process::start(program, &self.common.world.cpus)
    }
}

/// The arguments of the host that do not depend on where the component is: settings and the guest's environment.
pub(super) fn host_args(common: &Common) -> Vec<String> {
    let mut args = Vec::new();
    for (name, value) in settings(&common.subject.variant) {
        args.extend([format!("--{name}"), value.to_owned()]);
    }
    for (name, value) in &common.env {
        args.extend(["--env".to_owned(), format!("{name}={value}")]);
    }
    args
}

/// The settings of a subject as they stand in the record.
pub(super) fn recorded_settings(common: &Common) -> BTreeMap<String, String> {
    let settings = settings(&common.subject.variant).into_iter();
    let mut recorded: BTreeMap<_, _> = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    recorded.insert("cpus".into(), affinity::list(&common.world.cpus.subject));
    recorded
}

#[async_trait(?Send)]
impl Target for WasmtimeTarget {
    fn artifacts(&self) -> Vec<ArtifactRecord> {
        let files = [("component", Some(&self.component)), ("aot", self.code.as_ref()), ("host", Some(&self.host))];
        let record = |(kind, path): (&str, Option<&PathBuf>)| {
            let path = path?;
            artifact(kind, self.common.world.layout.relative(path), path).ok()
        };
        files.into_iter().filter_map(record).collect()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = recorded_settings(&self.common);
        let compiled = if self.code.is_some() { "ahead" } else { "at start, no cache" };
        settings.insert("compiled".into(), compiled.into());
        settings
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        let host = file_size(&self.host)?;
        let mut sizes = vec![
            ("artifact", file_size(&self.component)?),
            ("compressed", compressed_size(&self.component)?),
            ("shared", host),
            ("total", file_size(self.served())? + host),
        ];
        if let Some(code) = &self.code {
            sizes.push(("aot", file_size(code)?));
        }
        Ok(sizes)
    }

    async fn launch(&self) -> Result<Launched> {
        let Common { world, subject, probe, .. } = &self.common;
        let service = format!("{}={}@127.0.0.1:0", subject.service, self.served().display());
        let (mut process, began) = self.start(vec!["--service".into(), service], false)?;
        let (addr, marks) = process.listening(world.start_timeout, &world.cancel)?;
        let answered = probe.ask(addr, world.start_timeout)?;
        let instance = Box::new(ProcessInstance { process, addr });
        Ok(Launched { instance, startup: Startup::new(began, marks, answered) })
    }

    async fn deploy(&self) -> Result<Option<Deployed>> {
        let Common { world, subject, probe, .. } = &self.common;
        let (mut process, _) = self.start(vec!["--control".into()], true)?;
        process.ready(world.start_timeout, &world.cancel)?;
        let empty_engine_bytes = pss_bytes(process.pid())?;
        let listen = ([127, 0, 0, 1], 0).into();
        let command = Command::Deploy { service: subject.service.clone(), path: self.served().into(), listen };
        let began = monotonic_ns();
        process.command(&command)?;
        let (addr, marks) = process.listening(world.start_timeout, &world.cancel)?;
        let answered = probe.ask(addr, world.start_timeout)?;
        process.stop()?;
        Ok(Some(Deployed { startup: Startup::new(began, marks, answered), empty_engine_bytes }))
    }
}
