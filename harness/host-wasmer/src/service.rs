//! A service: one component, its state, and its instances.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tare_host::admission::{Place, Room};
use tare_host::backend::BoxError;
use tare_host::body::{BoundedBody, TooLong};
use tare_host::events::FirstInstance;
use tare_host::failure::Failure;
use tare_host::values::Values;
use tare_host::{Backend, Handler, direct, events, log};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use wasmer::Engine;

use crate::answer::Answer;
use crate::component::{self, Component};
use crate::instance::{Instance, Linked};
use crate::plan::World;
use crate::reply::Reply;
use crate::settings::{Compile, Settings};
use crate::state::Grants;
use crate::wasi::http::{BodyTooLong, IncomingRequest};
use crate::watchdog::Watchdog;
use crate::workers::{Tell, Workers};

/// What the services of a process share.
pub struct Host {
    engine: Engine,
    settings: Settings,
    /// The environment granted to every component.
    env: Vec<(String, String)>,
    room: Room,
    workers: Workers<Warm>,
    watchdog: Arc<Watchdog>,
    /// How many warm instances wait for a request, of all services.
    warm: Arc<AtomicU32>,
    /// Numbers the services.
    services: AtomicU32,
}

/// The warm instances that a thread keeps, with their services: Wasmer's stores do not leave their thread.
#[derive(Default)]
struct Warm {
    instances: Vec<(u32, Instance)>,
    counted: Option<Arc<AtomicU32>>,
}

thread_local! {
    /// Those of a thread that serves connections, see [`Service::directly`].
    static WARM: RefCell<Warm> = RefCell::default();
}

impl Drop for Warm {
    fn drop(&mut self) {
        if let Some(warm) = &self.counted {
            let count = u32::try_from(self.instances.len()).unwrap_or(u32::MAX);
            warm.fetch_sub(count, Ordering::Relaxed);
        }
    }
}

impl Host {
    /// Makes the engine, and starts the clock of the deadlines.
    ///
    /// # Errors
    /// The system refuses the thread of the clock.
    pub fn new(settings: Settings, env: Vec<(String, String)>) -> anyhow::Result<Arc<Self>> {
        #[cfg(feature = "compiler")]
        let engine = crate::engine::compiling(settings.compiler);
        #[cfg(not(feature = "compiler"))]
        let engine = crate::engine::headless();
        Ok(Arc::new(Self {
            engine,
            room: Room::new(settings.common.max_instances),
            settings,
            env,
            workers: Workers::default(),
            watchdog: Watchdog::start()?,
            warm: Arc::default(),
            services: AtomicU32::new(0),
        }))
    }

    /// The engine that runs the components.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl Backend for Host {
    type Settings = Settings;
    type Compile = Compile;
    type Service = Service;

    fn new(settings: Settings, env: Vec<(String, String)>) -> anyhow::Result<Arc<Self>> {
        Self::new(settings, env)
    }

    #[expect(unsafe_code, reason = "whoever names the file vouches for it")]
    unsafe fn open(self: &Arc<Self>, name: &str, path: &Path) -> anyhow::Result<Arc<Service>> {
        // SAFETY: the caller vouches for the file.
        unsafe { Service::open(self, name, path) }
    }

    fn compile(args: Compile) -> anyhow::Result<()> {
        component::compile_to_file(&args)
    }
}

/// A component that is ready to be instantiated, with what its instances share.
pub struct Service {
    host: Arc<Host>,
    number: u32,
    grants: Arc<Grants>,
    linked: Linked,
    first: FirstInstance,
}

impl Handler for Service {
    type Body = Answer;

    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Response<Answer> {
        self.answer(request).await
    }
}

impl Service {
    /// Loads or compiles a component, announcing the phases.
    ///
    /// # Errors
    /// See [`component::open`], and the component imports what this host does not have.
    ///
    /// # Safety
    /// See [`component::open`].
    #[expect(unsafe_code, reason = "whoever names the file vouches for it")]
    pub unsafe fn open(host: &Arc<Host>, name: &str, path: &Path) -> anyhow::Result<Arc<Self>> {
        // SAFETY: the caller vouches for the file.
        let (component, origin) = unsafe { component::open(&host.engine, path) }?;
        events::phase(origin.phase());
        let service = Self::link(host, name, component).with_context(|| {
            format!(
                "{} is not a component that this host can serve: it must import nothing but the proxy world of WASI \
                     0.2, its command line without sockets, and `wasi:keyvalue`",
                path.display()
            )
        })?;
        events::phase("link");
        Ok(service)
    }

    /// Makes a service of a component.
    ///
    /// # Errors
    /// See [`Linked::new`].
    pub fn link(host: &Arc<Host>, name: &str, component: Component) -> anyhow::Result<Arc<Self>> {
        let linked = Linked::new(component, host.settings.common.memory_limit)?;
        let grants = Grants { service: name.into(), env: host.env.clone(), values: Arc::new(Values::default()) };
        let number = host.services.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(Self {
            host: Arc::clone(host),
            number,
            grants: Arc::new(grants),
            linked,
            first: FirstInstance::default(),
        }))
    }

    /// Answers a request. What goes wrong is answered as well, and logged.
    pub async fn answer<B>(self: &Arc<Self>, request: Request<B>) -> Response<Answer>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    {
        match self.try_answer(request).await {
            Ok(response) => response,
            Err(failure) => {
                if !failure.is_of_the_client() {
                    log::line(&self.grants.service, &failure.to_string());
                }
                failure.answer(|words| Answer::Whole(Some(words)))
            }
        }
    }

    async fn try_answer<B>(self: &Arc<Self>, request: Request<B>) -> Result<Response<Answer>, Failure>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    {
        let settings = &self.host.settings.common;
        let deadline = Instant::now() + settings.deadline;
        if request.body().size_hint().lower() > settings.max_body {
            return Err(Failure::BodyTooLong);
        }
        let place = self.host.room.admit(deadline).await?;
        let too_long = TooLong::default();
        let refusal: fn() -> BoxError = || BodyTooLong.into();
        let request = request.map(|body| BoundedBody::new(body, settings.max_body, too_long.clone(), refusal));
        match self.linked.world() {
            World::Http => self.through_http(request, too_long, deadline, place).await,
            World::Direct => self.directly(request, &too_long, deadline, place).await,
        }
    }

    async fn through_http<B>(
        self: &Arc<Self>,
        request: Request<BoundedBody<B, BoxError>>,
        too_long: TooLong,
        deadline: Instant,
        place: Place,
    ) -> Result<Response<Answer>, Failure>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    {
        let (sender, outcome) = oneshot::channel();
        let reply = Arc::new(Reply::new(sender, too_long));
        let (parts, body) = request.into_parts();
        let request = IncomingRequest::new(parts, Box::new(body)).map_err(|error| Failure::BadRequest(error.into()))?;
        let (service, runtime) = (Arc::clone(self), Handle::current());
        let job = move |warm: &mut Warm| service.run(warm, request, reply, deadline, &runtime, place);
        let refused = |error| Failure::Trapped(anyhow::Error::new(error).context("no thread could be started"));
        self.host.workers.run(Box::new(job)).map_err(refused)?;
        let response = outcome.await.unwrap_or(Err(Failure::NoAnswer))?;
        Ok(response.map(|body| body.map_or(Answer::Whole(None), Answer::Guest)))
    }

    /// Asks an instance for the response. On the thread of the connection: such a component has no reason to wait, and
    /// what is compared by it is the runtime, without a change of threads. One that computes for long holds up others.
    async fn directly<B>(
        &self,
        request: Request<BoundedBody<B, BoxError>>,
        too_long: &TooLong,
        deadline: Instant,
        place: Place,
    ) -> Result<Response<Answer>, Failure>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
    {
        let collected = timeout_at(deadline.into(), direct::collected(request)).await;
        if too_long.happened() {
            return Err(Failure::BodyTooLong);
        }
        let request = collected.unwrap_or(Err(Failure::TooSlow))?;
        let runtime = Handle::current();
        let response = WARM.with_borrow_mut(|warm| {
            let mut instance = self.instance(warm, &runtime)?;
            let response = instance.ask(&request, deadline, &self.host.watchdog)?;
            self.keep(warm, instance);
            Ok(response)
        });
        drop(place);
        Ok(response?.map(|body| Answer::Whole(Some(body))))
    }

    /// Runs an instance on a request until it ends, also after its answer. On a thread for it alone.
    fn run(
        &self,
        warm: &mut Warm,
        request: IncomingRequest,
        reply: Arc<Reply>,
        deadline: Instant,
        runtime: &Handle,
        place: Place,
    ) -> Tell {
        let ended = self.instance(warm, runtime).and_then(|mut instance| {
            instance.serve(request, &reply, deadline, &self.host.watchdog)?;
            self.keep(warm, instance);
            Ok(())
        });
        let service = Arc::clone(&self.grants.service);
        Box::new(move || {
            // Only now is there room for the next.
            drop(place);
            if let Some(failure) = reply.end(ended) {
                log::line(&service, &failure.to_string());
            }
        })
    }

    /// A warm instance of this thread, or a fresh one.
    fn instance(&self, warm: &mut Warm, runtime: &Handle) -> Result<Instance, Failure> {
        if let Some(found) = warm.instances.iter().rposition(|(service, _)| *service == self.number) {
            self.host.warm.fetch_sub(1, Ordering::Relaxed);
            return Ok(warm.instances.swap_remove(found).1);
        }
        self.fresh(runtime)
    }

    /// A fresh instance.
    ///
    /// # Errors
    /// The component fails while it is instantiated.
    pub fn fresh(&self, runtime: &Handle) -> Result<Instance, Failure> {
        let limit = self.host.settings.common.memory_limit;
        let instance = Instance::new(&self.host.engine, &self.linked, &self.grants, runtime, limit)?;
        self.first.made();
        Ok(instance)
    }

    /// Keeps an instance for the next request on this thread, or drops it.
    fn keep(&self, warm: &mut Warm, instance: Instance) {
        let settings = &self.host.settings.common;
        if instance.served() >= settings.reuse.get() {
            return;
        }
        if self.host.warm.fetch_add(1, Ordering::Relaxed) >= settings.max_instances.get() {
            self.host.warm.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        warm.counted.get_or_insert_with(|| Arc::clone(&self.host.warm));
        warm.instances.push((self.number, instance));
    }
}
