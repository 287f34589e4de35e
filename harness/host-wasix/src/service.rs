//! A service: one program, its files, and its processes.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use tare_host::backend::BoxError;
use tare_host::body::{BoundedBody, TooLong};
use tare_host::failure::Failure;
use tare_host::file::{Kind, Origin};
use tare_host::log::{self, GuestLines};
use tare_host::{Backend, Handler, cgi, cli, direct, events};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::timeout_at;
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
    /// How long a client waits for an answer, waiting for its turn included; like `500ms` or `10s`. The program goes on.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = tare_host::settings::duration)]
    pub deadline: Duration,

    /// The longest body of a request, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * 1024)]
    pub max_body: u64,
}

/// What the services of a process share.
pub struct Host {
    engine: Engine,
    settings: Settings,
    env: Vec<(String, String)>,
    runtime: Arc<dyn Runtime + Send + Sync>,
}

impl Backend for Host {
    type Settings = Settings;
    type Compile = cli::Compile;
    type Service = Service;

    fn new(settings: Settings, env: Vec<(String, String)>) -> anyhow::Result<Arc<Self>> {
        let engine = Engine::headless();
        let mut runtime = PluggableRuntime::new(Arc::new(TokioTaskManager::new(Handle::current())));
        runtime.set_engine(engine.clone());
        Ok(Arc::new(Self { engine, settings, env, runtime: Arc::new(runtime) }))
    }

    #[expect(unsafe_code, reason = "whoever names the file vouches for it")]
    unsafe fn open(self: &Arc<Self>, name: &str, path: &Path) -> anyhow::Result<Arc<Service>> {
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
        events::phase(Origin::Loaded.phase());
        let files = virtual_fs::mem_fs::FileSystem::default();
        let program = Program { name: name.into(), module, hash: ModuleHash::random(), files: Arc::new(files) };
        Ok(Arc::new(Service { host: Arc::clone(self), program: Arc::new(program), turn: Mutex::default() }))
    }

    fn compile(_: cli::Compile) -> anyhow::Result<()> {
        bail!("this host has no compiler; compile with tare-host-wasmer-jit")
    }
}

/// What the processes of a service share.
struct Program {
    name: Arc<str>,
    module: Module,
    hash: ModuleHash,
    files: Arc<virtual_fs::mem_fs::FileSystem>,
}

/// A program that is ready to be run.
pub struct Service {
    host: Arc<Host>,
    program: Arc<Program>,
    /// Held by the process that runs: WASI 0.1 has no locks on files, and the service changes several.
    turn: Mutex<()>,
}

impl Handler for Service {
    type Body = Full<Bytes>;

    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Response<Self::Body> {
        match self.try_answer(request).await {
            Ok(response) => response.map(Full::new),
            Err(failure) => {
                if !failure.is_of_the_client() {
                    log::line(&self.program.name, &failure.to_string());
                }
                failure.answer(Full::new)
            }
        }
    }
}

impl Service {
    async fn try_answer(self: &Arc<Self>, request: Request<Incoming>) -> Result<Response<Bytes>, Failure> {
        let Settings { deadline, max_body } = self.host.settings;
        let deadline = Instant::now() + deadline;
        if request.body().size_hint().lower() > max_body {
            return Err(Failure::BodyTooLong);
        }
        let too_long = TooLong::default();
        let refusal: fn() -> BoxError = || "the body is longer than it may be".into();
        let request = request.map(|body| BoundedBody::new(body, max_body, too_long.clone(), refusal));
        let collected = timeout_at(deadline.into(), direct::collected(request)).await;
        if too_long.happened() {
            return Err(Failure::BodyTooLong);
        }
        let request = collected.unwrap_or(Err(Failure::TooSlow))?;
        let service = Arc::clone(self);
        // A task of its own, so that a client that leaves does not let the next in while the process still runs.
        let answer = tokio::spawn(async move {
            let turn = timeout_at(deadline.into(), service.turn.lock()).await.map_err(|_| Failure::TooBusy)?;
            let (program, host) = (Arc::clone(&service.program), Arc::clone(&service.host));
            let ran = tokio::task::spawn_blocking(move || program.run(&host, request)).await;
            drop(turn);
            ran.map_err(|error| Failure::Trapped(error.into()))?
        });
        match timeout_at(deadline.into(), answer).await {
            Ok(joined) => joined.map_err(|error| Failure::Trapped(error.into()))?,
            Err(_) => Err(Failure::TooSlow),
        }
    }
}

impl Program {
    /// Runs a process to its end.
    fn run(&self, host: &Host, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let (out, written) = Pipe::channel();
        let (err, told) = Pipe::channel();
        let mut runner = WasiRunner::new();
        runner
            .with_envs(cgi::variables(&request))
            .with_envs(host.env.iter().cloned())
            .with_mount(FOLDER.into(), Arc::clone(&self.files) as _)
            .with_stdin(Box::new(StaticFile::new(request.into_body())))
            .with_stdout(Box::new(out))
            .with_stderr(Box::new(err));
        let runtime = RuntimeOrEngine::Runtime(Arc::clone(&host.runtime));
        let ended = runner.run_wasm(runtime, &self.name, self.module.clone(), self.hash);
        // With it go the ends that are written to.
        drop(runner);
        let mut lines = GuestLines::new(Arc::clone(&self.name));
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
