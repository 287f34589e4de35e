//! A service in WebAssembly on one of the project's hosts: what is the same whatever the host runs it on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use tare_model::ArtifactRecord;
use tare_protocol::Command;

use super::native::ProcessInstance;
use super::{Colony, Common, Deployed, Launched, Processes, Startup, Target, Variant, World};
use crate::affinity;
use crate::build::{Guest, Product, Runtime, artifact, compressed_size, file_size};
use crate::clock::monotonic_ns;
use crate::engine::Cgroup;
use crate::layout::Service;
use crate::process::{Process, Program};
use crate::sampling::pss_bytes;

/// What the control without `wasi:http` is good for.
pub(super) const DIRECT: &str = "\
    the same router behind `handle: func(request) -> response` and wasi:keyvalue: on both runtimes, it compares engine and \
    canonical ABI alone, and beside aot shows what wasi:http costs on each. It does not show what a server gets, which needs \
    bodies that stream; and on Wasmer it runs on the connection's thread, where one that computes for long holds up others";

/// The last phase of a start that a host announces.
pub(super) const INSTANTIATE: &str = "instantiate";

/// The settings of a host, as its arguments and as they stand in the record.
pub(super) type Settings = Vec<(&'static str, &'static str)>;

/// The most memory of an instance in bytes, as the hosts are told it.
const MEMORY_LIMIT: &str = "67108864";

/// The same as a number.
pub(super) const GUEST_MEMORY_LIMIT: u64 = match u64::from_str_radix(MEMORY_LIMIT, 10) {
    Ok(bytes) => bytes,
    Err(_) => panic!("a number of bytes"),
};

/// What both hosts are told: an instance may have 64 MiB, and a request ten seconds.
pub(super) fn common_settings(reuse: bool) -> Settings {
    vec![("reuse", if reuse { "128" } else { "1" }), ("memory-limit", MEMORY_LIMIT), ("deadline", "10s")]
}

/// See the module.
pub(super) struct WasmTarget {
    common: Common,
    settings: Settings,
    guest: Guest,
    /// The portable file.
    portable: PathBuf,
    host: PathBuf,
    /// The guest compiled ahead; without it the host compiles the portable file at start.
    code: Option<PathBuf>,
}

impl WasmTarget {
    /// A service on the host of a runtime: in the form, and compiled ahead where, the variant says so.
    pub(super) fn new(
        world: &Rc<World>,
        service: &Service,
        (platform, runtime): (&str, Runtime),
        variant: &Variant,
        settings: Settings,
    ) -> Result<Self> {
        let file = |product| world.products.file(product, &service.name).map(Path::to_owned);
        let guest = variant.products.iter().find_map(|product| match product {
            Product::Guest(guest) => Some(*guest),
            _ => None,
        });
        let guest = guest.context("a variant in WebAssembly names no form of the service")?;
        let ahead = variant.products.iter().find(|product| matches!(product, Product::Ahead(..)));
        let host = file(if ahead.is_some() { Product::Host(runtime) } else { Product::JitHost(runtime) })?;
        let code = ahead.map(|ahead| file(*ahead)).transpose()?;
        let portable = file(Product::Guest(guest))?;
        let common = Common::new(world, service, platform, variant);
        Ok(Self { common, settings, guest, portable, host, code })
    }

    /// What the host is given to serve.
    fn served(&self) -> &Path {
        self.code.as_ref().unwrap_or(&self.portable)
    }

    fn start(&self, args: Vec<String>, commands: bool) -> Result<(Process, u64)> {
        let mut all = vec!["serve".to_owned()];
        all.extend(args);
        all.extend(host_args(&self.common, &self.settings));
        let program = Program { path: &self.host, args: all, env: BTreeMap::new(), commands, log: self.common.log() };
        Process::start(program, &self.common.world.cpus)
    }

    /// A host that serves nothing yet.
    fn start_empty(&self) -> Result<Process> {
        let world = &self.common.world;
        let (mut process, _) = self.start(vec!["--control".into()], true)?;
        process.ready(world.start_timeout, &world.cancel)?;
        Ok(process)
    }

    /// Deploys it under a name into a running host, up to its first right answer.
    fn deploy_into(&self, process: &mut Process, name: &str) -> Result<Startup> {
        let Common { world, probe, .. } = &self.common;
        let command =
            Command::Deploy { service: name.into(), path: self.served().into(), listen: ([127, 0, 0, 1], 0).into() };
        let began = monotonic_ns();
        process.command(&command)?;
        let (addr, mut marks) = process.listening(world.start_timeout, &world.cancel)?;
        let answered = probe.ask(addr, world.start_timeout)?;
        marks.extend(self.instantiated(process));
        Ok(Startup::new(began, marks, answered))
    }

    /// The end of the phase in which the first instance is made. A program has no instances, but a process per request.
    fn instantiated(&self, process: &mut Process) -> Option<(String, u64)> {
        (self.guest != Guest::Program).then(|| process.late_phase(INSTANTIATE)).flatten()
    }
}

/// The arguments of the host that do not depend on where the component is: settings and the guest's environment.
pub(super) fn host_args(common: &Common, settings: &Settings) -> Vec<String> {
    let mut args = Vec::new();
    for (name, value) in settings {
        args.extend([format!("--{name}"), (*value).to_owned()]);
    }
    for (name, value) in &common.env {
        args.extend(["--env".to_owned(), format!("{name}={value}")]);
    }
    args
}

/// The settings of a subject as they stand in the record.
pub(super) fn recorded_settings(common: &Common, settings: &Settings) -> BTreeMap<String, String> {
    let pairs = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut recorded: BTreeMap<_, _> = pairs.collect();
    recorded.insert("cpus".into(), affinity::list(&common.world.cpus.subject));
    recorded
}

#[async_trait(?Send)]
impl Target for WasmTarget {
    fn artifacts(&self) -> Vec<ArtifactRecord> {
        let kind = if self.guest == Guest::Program { "program" } else { "component" };
        let files = [(kind, Some(&self.portable)), ("aot", self.code.as_ref()), ("host", Some(&self.host))];
        let record = |(kind, path): (&str, Option<&PathBuf>)| {
            let path = path?;
            artifact(kind, self.common.world.layout.relative(path), path).ok()
        };
        files.into_iter().filter_map(record).collect()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = recorded_settings(&self.common, &self.settings);
        let compiled = if self.code.is_some() { "ahead" } else { "at start, no cache" };
        settings.insert("compiled".into(), compiled.into());
        // What compiles ahead, on either runtime, where no setting names another.
        settings.entry("compiler".into()).or_insert_with(|| "cranelift".into());
        settings.insert("simd".into(), if self.guest == Guest::Plain { "no" } else { "yes" }.into());
        settings
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        let host = file_size(&self.host)?;
        let mut sizes = vec![
            ("artifact", file_size(&self.portable)?),
            ("compressed", compressed_size(&self.portable)?),
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
        let (addr, mut marks) = process.listening(world.start_timeout, &world.cancel)?;
        let answered = probe.ask(addr, world.start_timeout)?;
        marks.extend(self.instantiated(&mut process));
        let instance = Box::new(ProcessInstance { process, addr });
        Ok(Launched { instance, startup: Startup::new(began, marks, answered) })
    }

    async fn deploy(&self) -> Result<Option<Deployed>> {
        let mut process = self.start_empty()?;
        let empty_engine_bytes = pss_bytes(process.pid())?;
        let startup = self.deploy_into(&mut process, &self.common.subject.service)?;
        process.stop()?;
        Ok(Some(Deployed { startup, empty_engine_bytes }))
    }

    fn colony(&self) -> Result<Box<dyn Colony + '_>> {
        Ok(Box::new(OneHost { target: self, process: self.start_empty()?, running: 0 }))
    }
}

/// Instances in one host process.
struct OneHost<'a> {
    target: &'a WasmTarget,
    process: Process,
    running: usize,
}

#[async_trait(?Send)]
impl Colony for OneHost<'_> {
    async fn grow(&mut self) -> Result<()> {
        self.running += 1;
        let name = format!("{}-{}", self.target.common.subject.service, self.running);
        self.target.deploy_into(&mut self.process, &name)?;
        Ok(())
    }

    fn processes(&self) -> Result<Processes> {
        Ok(Processes { service: vec![self.process.pid()], engine: Vec::new() })
    }

    fn cgroups(&self) -> Vec<&Cgroup> {
        Vec::new()
    }

    async fn stop(self: Box<Self>) -> Result<()> {
        self.process.stop()
    }
}
