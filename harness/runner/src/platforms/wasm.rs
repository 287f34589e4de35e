//! A service in WebAssembly on one of the project's hosts: what is the same whatever the host runs it on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;
use tare_model::ArtifactRecord;
use tare_protocol::Command;

use super::native::ProcessInstance;
use super::private::Private;
use super::process::{Process, Program};
use super::{
    Common, Deployed, Entry, Isolation, Launched, MEMORY_LIMIT, Processes, Replicas, RunContext, Startup, Target,
    Variant,
};
use crate::artifacts::{Code, Guest, Product, Runtime, artifact, compressed_size, file_size, refusal};
use crate::sys::affinity;
use crate::sys::cgroup::Cgroup;
use crate::sys::clock::monotonic_ns;
use crate::sys::sampling::pss_bytes;
use crate::workload::{Implementation, Needs, Source, Workload};

/// What the control without `wasi:http` is good for.
pub(super) const DIRECT: &str = "\
    the same router behind `handle: func(request) -> response` and wasi:keyvalue: on both runtimes, it compares engine and \
    canonical ABI alone, and beside aot shows what wasi:http costs on each. It does not show what a server gets, which needs \
    bodies that stream; and on Wasmer it runs on the connection's thread, where one that computes for long holds up others";

/// The last phase of a start that a host announces.
pub(super) const INSTANTIATE: &str = "instantiate";

/// A setting of a host: its option and the value.
pub(super) type Setting = (&'static str, &'static str);

/// An instance serves one request and is gone.
pub(super) const FRESH: &[Setting] = &[("reuse", "1")];

/// An instance serves up to 128 requests.
pub(super) const REUSED: &[Setting] = &[("reuse", "128")];

/// What every host allows a request. The hosts' own defaults, given to them nevertheless: what is not given is in no record.
const REQUESTS: &[Setting] =
    &[("deadline", "10s"), ("max-body", "1048576"), ("body-timeout", "5s"), ("header-timeout", "30s")];

/// What the hosts of components allow all requests together, an instance, and a service; the hosts' own defaults as well.
const QUOTAS: &[Setting] =
    &[("max-instances", "256"), ("table-elements", "100000"), ("store-limit", "536870912"), ("log-limit", "16777216")];

/// The most memory of an instance of the workspace's components, in bytes; of one that somebody brings, as much as a
/// container's.
pub(super) const GUEST_MEMORY_LIMIT: u64 = 64 << 20;

/// A service in WebAssembly on one of the project's hosts.
pub(super) struct WasmVariant {
    pub(super) entry: Entry,
    pub(super) runtime: Runtime,
    /// The form of the service that is served.
    pub(super) guest: Guest,
    /// How it is compiled ahead; `None` where the host compiles it when it starts.
    pub(super) code: Option<Code>,
    /// The host's settings, in groups.
    pub(super) settings: &'static [&'static [Setting]],
    /// Whether the host limits instances and what services keep: it serves components.
    pub(super) has_quotas: bool,
}

impl WasmVariant {
    fn products(&self) -> Vec<Product> {
        let mut products = vec![Product::Guest(self.guest)];
        match self.code {
            Some(code) => {
                products.extend([Product::Ahead(self.guest, self.runtime, code), Product::Host(self.runtime)]);
            }
            None => products.push(Product::JitHost(self.runtime)),
        }
        products
    }

    /// Whether the host can grant a component all that it needs.
    fn may_grant(&self, needs: &Needs) -> bool {
        self.runtime == Runtime::Wasmtime || needs.outgoing.is_empty() && needs.folders.is_empty()
    }

    /// The host's settings for a workload.
    pub(super) fn settings(&self, common: &Common, workload: Workload<'_>) -> Settings {
        let quotas = if self.has_quotas { QUOTAS } else { &[] };
        let fixed = [REQUESTS, quotas].into_iter().chain(self.settings.iter().copied()).flatten();
        let mut settings: Vec<(String, String)> =
            fixed.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if self.has_quotas {
            let usual = if workload.given().is_some() { MEMORY_LIMIT } else { GUEST_MEMORY_LIMIT };
            settings.push(("memory-limit".into(), common.memory_limit.unwrap_or(usual).to_string()));
        }
        Settings(settings)
    }
}

#[async_trait(?Send)]
impl Variant for WasmVariant {
    fn entry(&self) -> &Entry {
        &self.entry
    }

    fn takes(&self, implementation: &Implementation) -> Option<Vec<Product>> {
        let is_there = match &implementation.source {
            Source::Workspace { .. } => true,
            // The other forms are made from the source.
            Source::Given(given) => {
                self.guest == Guest::Component && given.component.is_some() && self.may_grant(&implementation.needs)
            }
            Source::Running(_) => false,
        };
        is_there.then(|| self.products())
    }

    fn isolation(&self) -> Isolation {
        Isolation::COMPONENT
    }

    async fn prepare(&self, context: &Rc<RunContext>, workload: Workload<'_>) -> Result<Box<dyn Target>> {
        let name = workload.to_string();
        let file = |product| context.products.file(product, &name).map(Path::to_owned);
        let host = if self.code.is_some() { Product::Host(self.runtime) } else { Product::JitHost(self.runtime) };
        let code = self.code.map(|code| file(Product::Ahead(self.guest, self.runtime, code))).transpose()?;
        let common = Common::new(context, workload, &self.entry);
        let portable = file(Product::Guest(self.guest))?;
        if workload.given().is_some() {
            let Implementation { needs, limits, .. } = workload.implementation;
            refusal(&portable, self.runtime, needs, limits.memory_bytes().unwrap_or(MEMORY_LIMIT))?;
        }
        let (host, private) = (file(host)?, Private::new(&context.layout)?);
        let served = code.as_ref().unwrap_or(&portable);
        let running = Running { host: private.copy(&host)?, served: private.copy(served)?, _private: private };
        Ok(Box::new(WasmTarget {
            running,
            settings: self.settings(&common, workload),
            needs: workload.implementation.needs.clone(),
            folder: workload.given().map(|given| given.folder.clone()).unwrap_or_default(),
            common,
            guest: self.guest,
            portable,
            host,
            code,
        }))
    }
}

/// The settings of a host, as its options and as they stand in the record.
#[derive(Debug, Clone)]
pub(super) struct Settings(Vec<(String, String)>);

/// The copies of files that are run.
struct Running {
    host: PathBuf,
    /// What the host is given to serve.
    served: PathBuf,
    /// Holds the copies.
    _private: Private,
}

/// See the variant that it is made of.
struct WasmTarget {
    common: Common,
    running: Running,
    settings: Settings,
    needs: Needs,
    /// What folders in its needs are relative to.
    folder: PathBuf,
    guest: Guest,
    /// The portable file.
    portable: PathBuf,
    host: PathBuf,
    /// The guest compiled ahead; without it the host compiles the portable file at start.
    code: Option<PathBuf>,
}

impl WasmTarget {
    /// What the host is given a copy of to serve.
    fn served(&self) -> &Path {
        self.code.as_ref().unwrap_or(&self.portable)
    }

    /// What its process reads.
    fn files(&self) -> [&Path; 2] {
        [&self.running.host, &self.running.served]
    }

    fn start(&self, args: Vec<String>, commands: bool) -> Result<(Process, u64)> {
        let mut all = vec!["serve".to_owned()];
        all.extend(args);
        all.extend(host_args(&self.common, &self.settings));
        all.extend(grant_args(&self.needs, &self.folder));
        let (env, log, as_nobody) = (BTreeMap::new(), self.common.log(), self.common.is_nobody(self.files()));
        let program = Program { path: &self.running.host, args: all, env, folder: None, commands, as_nobody, log };
        Process::start(program, &self.common.context.cpus, &self.common.context.cancel)
    }

    /// A host that serves nothing yet.
    fn start_empty(&self) -> Result<Process> {
        let deadline = self.common.deadline();
        let (mut process, _) = self.start(vec!["--control".into()], true)?;
        process.ready(deadline, &self.common.context.cancel)?;
        Ok(process)
    }

    /// Deploys it under a name into a running host, up to its first right answer.
    fn deploy_into(&self, process: &mut Process, name: &str) -> Result<Startup> {
        let Common { context, probe, .. } = &self.common;
        let deadline = self.common.deadline();
        let command = Command::Deploy {
            service: name.into(),
            path: self.running.served.clone(),
            listen: ([127, 0, 0, 1], 0).into(),
        };
        let began = monotonic_ns();
        process.command(&command)?;
        let (addr, mut marks) = process.listening(deadline, &context.cancel)?;
        let answered = probe.ask(addr, deadline, &mut || context.cancel.given_up())?;
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
    for (name, value) in &settings.0 {
        args.extend([format!("--{name}"), value.clone()]);
    }
    for (name, value) in &common.env {
        args.extend(["--env".to_owned(), format!("{name}={value}")]);
    }
    args
}

/// The arguments of the host that grant a component what its file asks for; folders are relative to the file's.
pub(super) fn grant_args(needs: &Needs, folder: &Path) -> Vec<String> {
    let outgoing = needs.outgoing.iter().map(|host| ("--outgoing", host.clone()));
    let folders = needs.folders.iter().map(|pair| ("--dir", format!("{}", folder.join(pair).display())));
    let config = needs.config.iter().map(|(name, value)| ("--config", format!("{name}={value}")));
    outgoing.chain(folders).chain(config).flat_map(|(name, value)| [name.to_owned(), value]).collect()
}

/// The settings of a subject as they stand in the record.
pub(super) fn recorded_settings(common: &Common, settings: &Settings) -> BTreeMap<String, String> {
    let mut recorded: BTreeMap<_, _> = settings.0.iter().cloned().collect();
    recorded.insert("cpus".into(), affinity::list(&common.context.cpus.subject));
    recorded
}

#[async_trait(?Send)]
impl Target for WasmTarget {
    fn artifacts(&self) -> Vec<ArtifactRecord> {
        let kind = if self.guest == Guest::Program { "program" } else { "component" };
        let files = [(kind, Some(&self.portable)), ("aot", self.code.as_ref()), ("host", Some(&self.host))];
        let record = |(kind, path): (&str, Option<&PathBuf>)| {
            let path = path?;
            artifact(kind, self.common.context.layout.relative(path), path).ok()
        };
        files.into_iter().filter_map(record).collect()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = recorded_settings(&self.common, &self.settings);
        let compiled = if self.code.is_some() { "ahead" } else { "at start, no cache" };
        settings.insert("compiled".into(), compiled.into());
        settings.insert("user".into(), self.common.user(self.files()));
        // What compiles ahead, on either runtime, where no setting names another.
        settings.entry("compiler".into()).or_insert_with(|| "cranelift".into());
        settings.insert("simd".into(), if self.guest == Guest::Plain { "no" } else { "yes" }.into());
        settings
    }

    fn grants(&self) -> Vec<String> {
        self.needs.of_component()
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        let (served, host) = (file_size(self.served())?, file_size(&self.host)?);
        let mut sizes = vec![
            ("artifact", served),
            ("compressed", compressed_size(self.served())?),
            ("shared", host),
            ("total", served + host),
        ];
        if self.code.is_some() {
            sizes.push(("portable", file_size(&self.portable)?));
        }
        Ok(sizes)
    }

    async fn launch(&self) -> Result<Launched> {
        let Common { context, subject, probe, .. } = &self.common;
        let deadline = self.common.deadline();
        let service = format!("{}={}@127.0.0.1:0", subject.service, self.running.served.display());
        let (mut process, began) = self.start(vec!["--service".into(), service], false)?;
        let (addr, mut marks) = process.listening(deadline, &context.cancel)?;
        let answered = probe.ask(addr, deadline, &mut || context.cancel.given_up())?;
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

    fn replicas(&self) -> Result<Box<dyn Replicas + '_>> {
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
impl Replicas for OneHost<'_> {
    async fn scale_up(&mut self) -> Result<()> {
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
