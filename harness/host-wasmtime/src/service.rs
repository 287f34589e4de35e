//! A service: one component and its instances.

use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use tare_host::admission::{ConcurrencyLimit, Permit};
use tare_host::answer::Answer;
use tare_host::arrival::ArrivingBody;
use tare_host::backend;
use tare_host::body::{BodyError, BoundedBody, RequestBody};
use tare_host::failure::Failure;
use tare_host::file::Origin;
use tare_host::front::{Call, ServiceContext, within};
use tare_host::grants::Grants;
use tare_host::pool::{Pool, Pooled, ReusePolicy};
use tare_host::settings::{Quotas, RequestLimits};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::Error;

use crate::answer::{EndedBody, GuestBody, LiveBody, Running};
use crate::exchange::Exchange;
use crate::settings::{Compile, Settings};
use crate::state::{DeadlineReached, Refused, State};
use crate::world::{DirectHandler, Exports, HttpHandler, Linked};
use crate::{component, engine, imports};

/// What the services of a process share.
pub struct Host {
    engine: Engine,
    linker: Linker<State>,
    settings: Settings,
    config: Arc<WasiConfigVariables>,
    concurrency: ConcurrencyLimit,
    reuse: Arc<ReusePolicy>,
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
        grants.check_dirs()?;
        let engine = engine::new(&settings)?;
        engine::start_ticking(&engine)?;
        let linker = imports::linker(&engine)?;
        let concurrency = ConcurrencyLimit::new(settings.common.max_instances);
        let reuse = ReusePolicy::new(&settings.common);
        let config = Arc::new(grants.config.iter().cloned().collect());
        Ok(Arc::new(Self { engine, linker, settings, config, concurrency, reuse }))
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
        let linked = Linked::new(&self.engine, imports::find(&self.linker, &component)?)?;
        Ok(Service { host: Arc::clone(self), context, linked, pool: Pool::new(&self.reuse) })
    }

    fn compile(args: Compile) -> anyhow::Result<()> {
        component::compile_to_file(&args)
    }
}

/// A component that is ready to be instantiated, with what its instances share.
pub struct Service {
    host: Arc<Host>,
    context: Arc<ServiceContext>,
    linked: Linked,
    pool: Pool<Instance>,
}

impl backend::Service for Service {
    type Body = GuestBody;

    async fn call<B: RequestBody>(
        self: &Arc<Self>,
        request: Request<BoundedBody<B>>,
        call: Call,
    ) -> Result<Response<Answer<GuestBody>>, Failure> {
        match &self.linked {
            Linked::Http(_) => self.through_http(request, call).await,
            Linked::Direct(_) => self.directly(request, call).await,
        }
    }
}

impl Service {
    async fn through_http<B: RequestBody>(
        self: &Arc<Self>,
        request: Request<BoundedBody<B>>,
        call: Call,
    ) -> Result<Response<Answer<GuestBody>>, Failure> {
        let (request, permit) = call.admit(request).await?;
        let exchange = Arc::new(Exchange::default());
        let mut running: Running =
            Box::pin(Arc::clone(self).run(request, Arc::clone(&exchange), call.deadline, permit));

        // Until the component has answered; mostly it has also ended then.
        let ended = std::future::poll_fn(|cx| match running.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if exchange.has_answer() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await;
        let still_running = match ended {
            Some(Ok(())) => None,
            Some(Err(failure)) => return Err(failure),
            None => Some(running),
        };
        match exchange.take() {
            None => Err(Failure::NoAnswer),
            Some(Err(code)) => Err(Failure::Refused(format!("{code:?}"))),
            Some(Ok(response)) => {
                let (head, body) = response.into_parts();
                let body = match still_running {
                    None => GuestBody::Ended(EndedBody::new(&head.headers, body).await),
                    Some(running) => GuestBody::Live(LiveBody::new(body, running, Arc::clone(&self.context.log))),
                };
                Ok(Response::from_parts(head, Answer::Written(body)))
            }
        }
    }

    /// Runs an instance on a request until it ends, also after its answer.
    async fn run<B: RequestBody>(
        self: Arc<Self>,
        request: Request<ArrivingBody<B>>,
        exchange: Arc<Exchange>,
        deadline: Instant,
        permit: Permit,
    ) -> Result<(), Failure> {
        let request = request.map(|body| body.map_err(read_error));
        // The instance's own clock stops it when it computes, this one when it waits.
        let result = within(deadline, async {
            let mut pooled = self.instance(deadline).await?;
            let Instance { store, exports } = &mut pooled.instance;
            exports.http()?.serve(store, request, exchange).await?;
            self.pool.keep(pooled);
            Ok(())
        })
        .await;
        // Only now is the slot of the instance free for the next request.
        drop(permit);
        result
    }

    async fn directly<B: RequestBody>(
        &self,
        request: Request<BoundedBody<B>>,
        call: Call,
    ) -> Result<Response<Answer<GuestBody>>, Failure> {
        let (request, permit) = call.admit_whole(request).await?;
        let response = within(call.deadline, async {
            let mut pooled = self.instance(call.deadline).await?;
            let Instance { store, exports } = &mut pooled.instance;
            let response = exports.direct()?.serve(store, &request).await?;
            self.pool.keep(pooled);
            Ok(response)
        })
        .await;
        drop(permit);
        Ok(response?.map(|body: Bytes| Answer::Whole(Some(body))))
    }

    /// A warm instance, or a fresh one.
    ///
    /// # Errors
    /// The component fails while it is instantiated.
    async fn instance(&self, deadline: Instant) -> Result<Pooled<Instance>, Failure> {
        match self.pool.take() {
            Some(mut pooled) => {
                let store = &mut pooled.instance.store;
                store.data_mut().deadline = deadline;
                // Ticks went by while it waited.
                store.set_epoch_deadline(1);
                Ok(pooled)
            }
            None => Ok(Pooled::fresh(self.fresh(deadline).await?)),
        }
    }

    /// A fresh instance.
    ///
    /// # Errors
    /// The component fails while it is instantiated.
    pub async fn fresh(&self, deadline: Instant) -> Result<Instance, Failure> {
        let Host { engine, settings, config, .. } = &*self.host;
        let mut store = State::store(engine, &self.context, config, &settings.common, deadline)
            .context("a granted folder cannot be opened")
            .map_err(Failure::Trapped)?;
        match self.linked.instantiate(&mut store).await {
            Ok(exports) => {
                self.context.first.made();
                Ok(Instance { store, exports })
            }
            Err(error) => Err(failure(error, &store)),
        }
    }
}

/// What a component reads where its request breaks off.
fn read_error(error: BodyError) -> Error {
    match error {
        BodyError::TooLong => Error::HttpRequestBodySize(None),
        BodyError::Stalled => Error::ConnectionReadTimeout,
        BodyError::Over => Error::HttpProtocolError,
        BodyError::Broken(error) => error.into(),
    }
}

/// A component's instance with its memory.
pub struct Instance {
    store: Store<State>,
    exports: Exports,
}

/// Tells how a call ended from its error, and from the limits that the instance reached.
pub(crate) fn failure(error: wasmtime::Error, store: &Store<State>) -> Failure {
    if error.is::<DeadlineReached>() {
        return Failure::TooSlow;
    }
    let cause = error.into();
    match store.data().refused() {
        Some(Refused::Memory(limit)) => Failure::OutOfMemory { limit, cause },
        Some(Refused::Table(limit)) => Failure::OutOfTable { limit, cause },
        None => Failure::Trapped(cause),
    }
}
