//! A service: one component and its instances.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use anyhow::{anyhow, bail, ensure};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use tare_host::admission::{ConcurrencyLimit, Permit};
use tare_host::answer::Answer;
use tare_host::backend::{self, BoxError};
use tare_host::body::{BoundedBody, RequestBody};
use tare_host::failure::Failure;
use tare_host::file::Origin;
use tare_host::front::{Call, ServiceContext};
use tare_host::grants::Grants;
use tare_host::pool::{Pooled, ReusePolicy, Warm};
use tare_host::refusal;
use tare_host::settings::{Quotas, RequestLimits};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use wasmer::Engine;

use crate::component::{self, Component};
use crate::instance::{Instance, Linked};
use crate::pipe::Reader;
use crate::plan::{Import, World};
use crate::reply::Reply;
use crate::settings::{Compile, Settings};
use crate::wasi;
use crate::wasi::http::IncomingRequest;
use crate::watchdog::Watchdog;
use crate::workers::{Tell, Workers};

/// What the services of a process share.
pub struct Host {
    engine: Engine,
    settings: Settings,
    concurrency: ConcurrencyLimit,
    reuse: Arc<ReusePolicy>,
    workers: Workers<Kept>,
    watchdog: Arc<Watchdog>,
    /// Numbers the services.
    services: AtomicU32,
}

/// The warm instances that a thread keeps, with their services: Wasmer's stores do not leave their thread.
type Kept = Vec<(u32, Warm<Instance>)>;

thread_local! {
    /// Those of a thread that serves connections, see [`Service::directly`].
    static KEPT: RefCell<Kept> = RefCell::default();
}

impl Host {
    /// The engine that runs the components.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl backend::Backend for Host {
    type Settings = Settings;
    type Compile = Compile;
    type Loaded = Component;
    type Service = Service;

    fn new(settings: Settings, grants: &Grants) -> anyhow::Result<Arc<Self>> {
        ensure!(grants.outgoing.is_empty(), not_granted("--outgoing"));
        ensure!(grants.dirs.is_empty(), not_granted("--dir"));
        #[cfg(feature = "compiler")]
        let engine = crate::engine::compiling(settings.compiler);
        #[cfg(not(feature = "compiler"))]
        let engine = crate::engine::headless();
        Ok(Arc::new(Self {
            engine,
            concurrency: ConcurrencyLimit::new(settings.common.max_instances),
            reuse: ReusePolicy::new(&settings.common),
            settings,
            workers: Workers::default(),
            watchdog: Watchdog::start()?,
            services: AtomicU32::new(0),
        }))
    }

    fn limits(&self) -> RequestLimits {
        self.settings.common.requests
    }

    fn quotas(&self) -> Quotas {
        self.settings.common.quotas
    }

    fn concurrency(&self) -> ConcurrencyLimit {
        self.concurrency.clone()
    }

    #[expect(unsafe_code, reason = "whoever names the file vouches for it")]
    unsafe fn load(&self, path: &Path) -> anyhow::Result<(Component, Origin)> {
        // SAFETY: the caller vouches for the file.
        unsafe { component::open(&self.engine, path) }
    }

    fn link(self: &Arc<Self>, component: Component, context: Arc<ServiceContext>) -> anyhow::Result<Service> {
        check_imports(&component)?;
        check_tables(&component, self.settings.common.table_elements)?;
        let linked = Linked::new(component, &self.settings.common)?;
        let number = self.services.fetch_add(1, Ordering::Relaxed);
        Ok(Service { host: Arc::clone(self), number, context, linked })
    }

    fn compile(args: Compile) -> anyhow::Result<()> {
        component::compile_to_file(&args)
    }
}

/// Says that an option means nothing here.
fn not_granted(option: &str) -> anyhow::Error {
    anyhow!(
        "this host cannot grant what {option} grants; serve the component with tare-host-wasmtime, or without {option}"
    )
}

/// Checks that all that a component imports is there.
///
/// # Errors
/// An interface is not; the error names all of them. Single functions are looked for by [`Linked::new`].
fn check_imports(component: &Component) -> anyhow::Result<()> {
    let imports = component.plan.steps.iter().flat_map(|step| &step.imports);
    let names = imports.filter_map(|import| match import {
        Import::Host(import) => Some(import.interface.as_str()),
        Import::Export(_) | Import::Later { .. } => None,
    });
    // Most functions share their interface with others.
    let interfaces: BTreeSet<&str> = names.collect();
    let missing: Vec<&str> = interfaces.into_iter().filter(|name| !wasi::is_provided(name)).collect();
    if missing.is_empty() { Ok(()) } else { bail!(refusal::missing_imports(missing)) }
}

/// Checks that no table is larger at its start than tables may be.
fn check_tables(component: &Component, most: u32) -> anyhow::Result<()> {
    let tables = component.modules.iter().flat_map(|module| module.info().tables.values());
    let largest = tables.map(|table| table.minimum).max().unwrap_or(0);
    ensure!(
        largest <= most,
        "its table of {largest} elements at the start exceeds the limit of {most} elements; raise --table-elements"
    );
    Ok(())
}

/// A component that is ready to be instantiated, with what its instances share.
pub struct Service {
    host: Arc<Host>,
    number: u32,
    context: Arc<ServiceContext>,
    linked: Linked,
}

impl backend::Service for Service {
    type Body = Reader;

    async fn call<B: RequestBody>(
        self: &Arc<Self>,
        request: Request<BoundedBody<B>>,
        call: Call,
    ) -> Result<Response<Answer<Reader>>, Failure> {
        match self.linked.world() {
            World::Http => self.through_http(request, call).await,
            World::Direct => self.directly(request, call).await,
        }
    }
}

impl Service {
    async fn through_http<B: RequestBody>(
        self: &Arc<Self>,
        request: Request<BoundedBody<B>>,
        call: Call,
    ) -> Result<Response<Answer<Reader>>, Failure> {
        let (request, permit) = call.admit(request).await?;
        let (sender, outcome) = oneshot::channel();
        let reply = Arc::new(Reply::new(sender, call.cut));
        let (parts, body) = request.into_parts();
        let request = IncomingRequest::new(parts, Box::new(body.map_err(BoxError::from)))
            .map_err(|error| Failure::BadRequest(error.into()))?;
        let (service, runtime, deadline) = (Arc::clone(self), Handle::current(), call.deadline);
        let job = move |kept: &mut Kept| service.run(kept, request, reply, deadline, &runtime, permit);
        let refused = |error| Failure::Trapped(anyhow::Error::new(error).context("no thread could be started"));
        self.host.workers.run(Box::new(job)).map_err(refused)?;
        let response = outcome.await.unwrap_or(Err(Failure::NoAnswer))?;
        Ok(response.map(|body| body.map_or(Answer::Whole(None), Answer::Written)))
    }

    /// Asks an instance for the response. On the thread of the connection: such a component has no reason to wait, and
    /// what is compared by it is the runtime, without a change of threads. One that computes for long holds up others.
    async fn directly<B: RequestBody>(
        &self,
        request: Request<BoundedBody<B>>,
        call: Call,
    ) -> Result<Response<Answer<Reader>>, Failure> {
        let (request, permit) = call.admit_whole(request).await?;
        let runtime = Handle::current();
        let response: Result<Response<Bytes>, Failure> = KEPT.with_borrow_mut(|kept| {
            let mut pooled = self.instance(kept, &runtime, call.deadline)?;
            let response = pooled.instance.ask(&request, call.deadline, &self.host.watchdog)?;
            self.keep(kept, pooled);
            Ok(response)
        });
        drop(permit);
        Ok(response?.map(|body| Answer::Whole(Some(body))))
    }

    /// Runs an instance on a request until it ends, also after its answer. On a thread for it alone.
    fn run(
        &self,
        kept: &mut Kept,
        request: IncomingRequest,
        reply: Arc<Reply>,
        deadline: Instant,
        runtime: &Handle,
        permit: Permit,
    ) -> Tell {
        let ended = self.instance(kept, runtime, deadline).and_then(|mut pooled| {
            pooled.instance.serve(request, &reply, deadline, &self.host.watchdog)?;
            self.keep(kept, pooled);
            Ok(())
        });
        let log = Arc::clone(&self.context.log);
        Box::new(move || {
            // Only now may the next one run.
            drop(permit);
            if let Some(failure) = reply.end(ended) {
                log.line(&failure.to_string());
            }
        })
    }

    /// A warm instance of this thread, or a fresh one.
    fn instance(&self, kept: &mut Kept, runtime: &Handle, deadline: Instant) -> Result<Pooled<Instance>, Failure> {
        match kept.iter().rposition(|(service, _)| *service == self.number) {
            Some(found) => Ok(kept.swap_remove(found).1.take()),
            None => Ok(Pooled::fresh(self.fresh(runtime, deadline)?)),
        }
    }

    /// A fresh instance.
    ///
    /// # Errors
    /// The component fails while it is instantiated, or is not ready at the deadline.
    pub fn fresh(&self, runtime: &Handle, deadline: Instant) -> Result<Instance, Failure> {
        let Host { engine, settings, watchdog, .. } = &*self.host;
        let limits = &settings.common;
        let instance = Instance::new(engine, &self.linked, &self.context, runtime, limits, deadline, watchdog)?;
        self.context.first.made();
        Ok(instance)
    }

    /// Keeps an instance for the next request on this thread, or drops it.
    fn keep(&self, kept: &mut Kept, used: Pooled<Instance>) {
        if let Some(warm) = self.host.reuse.keep(used) {
            kept.push((self.number, warm));
        }
    }
}
