//! A service: one program, its files, and its processes.

use std::io::Read;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use tare_host::admission::ConcurrencyLimit;
use tare_host::answer::Answer;
use tare_host::body::{BoundedBody, RequestBody};
use tare_host::failure::Failure;
use tare_host::file::{Kind, Origin};
use tare_host::front::{Call, ServiceContext, within};
use tare_host::grants::Grants;
use tare_host::log::GuestLines;
use tare_host::settings::{self, Quotas, RequestLimits};
use tare_host::{backend, cgi, cli};
use tokio::runtime::Handle;
use virtual_fs::{Pipe, StaticFile};
use wasmer::sys::NativeEngineExt;
use wasmer::{Engine, Module};
use wasmer_types::ModuleHash;
use wasmer_wasix::runners::wasi::{RuntimeOrEngine, WasiRunner};
use wasmer_wasix::runtime::task_manager::tokio::TokioTaskManager;
use wasmer_wasix::{PluggableRuntime, Runtime};

/// Where a program has its files.
const FOLDER: &str = "/store";

/// The settings of this host: there is less to set than on the others, since Wasmer's runner does not limit what it runs.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct Settings {
    /// What holds for each request. A program goes on after its deadline; only its client hears no more of it.
    #[command(flatten)]
    pub requests: RequestLimits,
}

/// What the services of a process share.
pub struct Host {
    engine: Engine,
    settings: Settings,
    runtime: Arc<dyn Runtime + Send + Sync>,
}

impl backend::Backend for Host {
    type Settings = Settings;
    type Compile = cli::Compile;
    type Loaded = Module;
    type Service = Service;

    fn new(settings: Settings, grants: &Grants) -> anyhow::Result<Arc<Self>> {
        let only_env = grants.config.is_empty() && grants.outgoing.is_empty() && grants.dirs.is_empty();
        ensure!(
            only_env,
            "a program of WASI 0.1 is granted nothing but --env; leave out --config, --outgoing and --dir"
        );
        let engine = Engine::headless();
        let mut runtime = PluggableRuntime::new(Arc::new(TokioTaskManager::new(Handle::current())));
        runtime.set_engine(engine.clone());
        Ok(Arc::new(Self { engine, settings, runtime: Arc::new(runtime) }))
    }

    fn limits(&self) -> RequestLimits {
        self.settings.requests
    }

    /// The log's holds as it is by default; a program has files and no store.
    fn quotas(&self) -> Quotas {
        settings::defaults()
    }

    /// One for each service: WASI 0.1 has no locks on files, and a service changes several.
    fn concurrency(&self) -> ConcurrencyLimit {
        ConcurrencyLimit::new(NonZeroU32::MIN)
    }

    #[expect(unsafe_code, reason = "whoever names the file vouches for it")]
    unsafe fn load(&self, path: &Path) -> anyhow::Result<(Module, Origin)> {
        if Kind::of_file(path)?.0 != Kind::Other {
            bail!(
                "{} is not compiled, and this host has no compiler; compile it with `tare-host-wasmer-jit compile {0} OUT`",
                path.display()
            );
        }
        // SAFETY: wasmer checks the artifact's version and processor. That its compiler made it is what the caller vouches for.
        let module = unsafe { Module::deserialize_from_file(&self.engine, path) }.with_context(|| {
            format!(
                "{} is no program compiled for this host; compile one for wasm32-wasip1 with `tare-host-wasmer-jit compile` \
                 of the same version",
                path.display()
            )
        })?;
        Ok((module, Origin::Loaded))
    }

    fn link(self: &Arc<Self>, module: Module, context: Arc<ServiceContext>) -> anyhow::Result<Service> {
        let (hash, files) = (ModuleHash::random(), Arc::default());
        Ok(Service(Arc::new(Program { host: Arc::clone(self), context, module, hash, files })))
    }

    fn compile(_: cli::Compile) -> anyhow::Result<()> {
        bail!("this host has no compiler; compile with tare-host-wasmer-jit")
    }
}

/// A program, and what its processes share.
struct Program {
    host: Arc<Host>,
    context: Arc<ServiceContext>,
    module: Module,
    hash: ModuleHash,
    files: Arc<virtual_fs::mem_fs::FileSystem>,
}

/// A program that is ready to be run.
pub struct Service(Arc<Program>);

impl backend::Service for Service {
    type Body = Empty<Bytes>;

    async fn call<B: RequestBody>(
        self: &Arc<Self>,
        request: Request<BoundedBody<B>>,
        call: Call,
    ) -> Result<Response<Answer<Empty<Bytes>>>, Failure> {
        let (program, deadline) = (Arc::clone(&self.0), call.deadline);
        // A task of its own, so that a client that leaves does not let the next in while the process still runs.
        let answer = tokio::spawn(async move {
            let (request, permit) = call.admit_whole(request).await?;
            let ran = tokio::task::spawn_blocking(move || program.run(request)).await;
            drop(permit);
            ran.map_err(|error| Failure::Trapped(error.into()))?
        });
        let response =
            within(deadline, async { answer.await.unwrap_or_else(|error| Err(Failure::Trapped(error.into()))) });
        Ok(response.await?.map(|body| Answer::Whole(Some(body))))
    }
}

impl Program {
    /// Runs a process to its end.
    fn run(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let (out, written) = Pipe::channel();
        let (err, told) = Pipe::channel();
        let mut runner = WasiRunner::new();
        runner
            .with_envs(cgi::variables(&request))
            .with_envs(self.context.grants.env.iter().cloned())
            .with_mount(FOLDER.into(), Arc::clone(&self.files) as _)
            .with_stdin(Box::new(StaticFile::new(request.into_body())))
            .with_stdout(Box::new(out))
            .with_stderr(Box::new(err));
        let runtime = RuntimeOrEngine::Runtime(Arc::clone(&self.host.runtime));
        let ended = runner.run_wasm(runtime, &self.context.name, self.module.clone(), self.hash);
        // With it go the ends that are written to.
        drop(runner);
        let mut lines = GuestLines::new(Arc::clone(&self.context.log));
        lines.take(&all(told));
        ended.map_err(Failure::Trapped)?;
        cgi::response(&all(written).into())
    }
}

/// What was written to a pipe whose other end is gone.
fn all(mut pipe: Pipe) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A pipe in memory does not fail.
    let _ = pipe.read_to_end(&mut bytes);
    bytes
}
