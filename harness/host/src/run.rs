//! The life of the process: start, serve, take commands, stop.

use std::collections::HashSet;
use std::io::BufRead;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tare_protocol::Command;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::cli::{Serve, ServiceSpec};
use crate::front::{Front, ServiceContext};
use crate::grants::Grants;
use crate::server::{self, Stop};
use crate::{Backend, events, log};

/// How long requests in flight may take when the process is told to stop.
const GRACE: Duration = Duration::from_secs(1);

/// Serves until told to stop.
///
/// # Errors
/// The engine does not start, or none of the services named on the command line does.
pub fn serve<B: Backend>(args: Serve<B::Settings>) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let result = runtime.block_on(Process::<B>::run(args));
    // Without waiting for a compilation that nobody wants any more.
    runtime.shutdown_background();
    result
}

fn runtime() -> anyhow::Result<Runtime> {
    // As many threads as the affinity mask allows, which is also tokio's own default unless its variable says otherwise.
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().context("the threads do not start")
}

/// What the process serves.
struct Process<B> {
    backend: Arc<B>,
    grants: Arc<Grants>,
    stop: Stop,
    names: Mutex<HashSet<String>>,
}

impl<B: Backend> Process<B> {
    async fn run(args: Serve<B::Settings>) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
        let grants = Arc::new(args.grants);
        let backend = B::new(args.settings, &grants)?;
        events::phase("engine");
        let (stopper, stop) = Stop::new();
        let process = Arc::new(Self { backend, grants, stop, names: Mutex::default() });

        let mut started = 0;
        for spec in &args.services {
            started += usize::from(process.deploy(spec).await);
        }
        if started == 0 && !args.control {
            bail!("no service could be started");
        }
        if args.services.is_empty() {
            events::ready();
        }
        tokio::select! {
            () = process.obey(), if args.control => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        drop(process);
        end(&stopper).await;
        Ok(())
    }

    /// Starts a service, or says why it does not start.
    async fn deploy(self: &Arc<Self>, spec: &ServiceSpec) -> bool {
        match self.try_deploy(spec).await {
            Ok(()) => true,
            Err(error) => {
                events::failed(&spec.name, &error);
                false
            }
        }
    }

    async fn try_deploy(&self, spec: &ServiceSpec) -> anyhow::Result<()> {
        let is_new = self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(spec.name.clone());
        ensure!(is_new, "a service of this name is there already; give this one another");
        let deployed = self.open(spec).await;
        if deployed.is_err() {
            self.names.lock().unwrap_or_else(PoisonError::into_inner).remove(&spec.name);
        }
        deployed
    }

    async fn open(&self, spec: &ServiceSpec) -> anyhow::Result<()> {
        let context = ServiceContext::new(&spec.name, &self.grants, self.backend.quotas());
        let service = {
            let (backend, context, path) = (Arc::clone(&self.backend), Arc::clone(&context), spec.path.clone());
            // Compiling takes long, and requests to other services must not wait for it.
            tokio::task::spawn_blocking(move || load(&backend, context, &path)).await??
        };
        let (listener, addr) = server::listen(spec.listen).await?;
        let front = Front::new(service, context, self.backend.limits(), self.backend.concurrency(), addr);
        tokio::spawn(server::serve(listener, front, self.stop.clone()));
        events::listening(&spec.name, addr);
        Ok(())
    }

    /// Does what standard input says, until it ends or says to stop.
    async fn obey(self: &Arc<Self>) {
        let mut commands = commands();
        while let Some(command) = commands.recv().await {
            match command {
                Command::Deploy { service, path, listen } => {
                    self.deploy(&ServiceSpec { name: service, path, listen }).await;
                }
                Command::Stop => return,
            }
        }
    }
}

/// Makes a service of a file, and announces the phases.
#[expect(unsafe_code, reason = "components compiled ahead are run as they are")]
fn load<B: Backend>(backend: &Arc<B>, context: Arc<ServiceContext>, path: &Path) -> anyhow::Result<B::Service> {
    // SAFETY: only the command line and standard input name files. Whoever holds them runs this process, and could as well
    // run another program; both are told that a file is trusted as one.
    let (loaded, origin) = unsafe { backend.load(path) }?;
    events::phase(origin.phase());
    let service = backend
        .link(loaded, context)
        .with_context(|| format!("{} is not a component that this host can serve", path.display()))?;
    events::phase("link");
    Ok(service)
}

/// The commands on standard input; ends with it.
fn commands() -> mpsc::UnboundedReceiver<Command> {
    let (sender, receiver) = mpsc::unbounded_channel();
    // A thread, not tokio's standard input: it may read forever and must not keep the process from ending.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(command) => {
                    if sender.send(command).is_err() {
                        return;
                    }
                }
                Err(error) => log::line("", &format!("not a command, ignored: {line} ({error})")),
            }
        }
    });
    receiver
}

/// Ends the connections: those that wait at once, those with a request in flight after it, none later than [`GRACE`].
async fn end(stopper: &watch::Sender<bool>) {
    stopper.send_replace(true);
    if tokio::time::timeout(GRACE, stopper.closed()).await.is_err() {
        log::line("", "requests in flight were cut off: they took too long to stop");
    }
}
