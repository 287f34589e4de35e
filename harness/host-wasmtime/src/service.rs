//! A service: one component, its state, and its instances.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Instant;

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tare_host::admission::{Place, Room};
use tare_host::body::{BoundedBody, TooLong};
use tare_host::events::FirstInstance;
use tare_host::failure::Failure;
use tare_host::values::Values;
use tare_host::{Backend, Handler, events, log};
use tokio::time::timeout_at;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasmtime_wasi_http::Error;

use crate::answer::{Answer, LiveBody, Running};
use crate::exchange::Exchange;
use crate::settings::{Compile, Settings};
use crate::state::{DeadlineReached, Grants, State};
use crate::world::{Exports, Linked};
use crate::{component, engine, state};

/// What the services of a process share.
pub struct Host {
    engine: Engine,
    linker: Linker<State>,
    settings: Settings,
    /// The environment granted to every component.
    env: Vec<(String, String)>,
    room: Room,
    /// How many warm instances wait for a request, of all services.
    warm: AtomicU32,
}

impl Host {
    /// Makes the engine and the linker, and starts the clock of the deadlines.
    ///
    /// # Errors
    /// See [`engine::new`].
    pub fn new(settings: Settings, env: Vec<(String, String)>) -> anyhow::Result<Arc<Self>> {
        let engine = engine::new(&settings)?;
        engine::start_ticking(&engine)?;
        let linker = state::linker(&engine)?;
        let room = Room::new(settings.common.max_instances);
        Ok(Arc::new(Self { engine, linker, settings, env, room, warm: AtomicU32::new(0) }))
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

impl Handler for Service {
    type Body = Answer;

    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Response<Answer> {
        self.answer(request).await
    }
}

/// A component that is ready to be instantiated, with what its instances share.
pub struct Service {
    host: Arc<Host>,
    grants: Grants,
    component: Linked,
    /// Instances that served requests and may serve more; the last used one first, since its memory is in the caches.
    warm: Mutex<Vec<Instance>>,
    first: FirstInstance,
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
        let service = Self::link(host, name, &component).with_context(|| {
            format!("{} is not a component that this host can serve: it must export `wasi:http/incoming-handler` and \
                     import nothing but the proxy world of WASI 0.2, its command line without sockets, and `wasi:keyvalue`",
                    path.display())
        })?;
        events::phase("link");
        Ok(service)
    }

    /// Makes a service of a component.
    ///
    /// # Errors
    /// The component imports what this host does not have, or does not export an HTTP handler.
    pub fn link(host: &Arc<Host>, name: &str, component: &Component) -> anyhow::Result<Arc<Self>> {
        let component = Linked::new(host.linker.instantiate_pre(component)?)?;
        let grants = Grants {
            service: name.into(),
            env: host.env.clone(),
            values: Arc::new(Values::default()),
            memory_limit: host.settings.common.memory_limit,
        };
        Ok(Arc::new(Self {
            host: Arc::clone(host),
            grants,
            component,
            warm: Mutex::default(),
            first: FirstInstance::default(),
        }))
    }

    /// Answers a request. What goes wrong is answered as well, and logged.
    pub async fn answer<B>(self: &Arc<Self>, request: Request<B>) -> Response<Answer>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        match self.try_handle(request).await {
            Ok(response) => response,
            Err(failure) => {
                if !failure.is_of_the_client() {
                    log::line(&self.grants.service, &failure.to_string());
                }
                failure.answer(|words| Answer::Host(Some(words)))
            }
        }
    }

    async fn try_handle<B>(self: &Arc<Self>, request: Request<B>) -> Result<Response<Answer>, Failure>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        let settings = &self.host.settings.common;
        let deadline = Instant::now() + settings.deadline;
        if request.body().size_hint().lower() > settings.max_body {
            return Err(Failure::BodyTooLong);
        }
        let room = self.host.room.admit(deadline).await?;
        let (exchange, too_long) = (Arc::new(Exchange::default()), TooLong::default());
        let refusal = || Error::HttpRequestBodySize(None);
        let request = request.map(|body| BoundedBody::new(body, settings.max_body, too_long.clone(), refusal));
        let mut running: Running = Box::pin(Arc::clone(self).run(request, Arc::clone(&exchange), deadline, room));

        // Until the component has answered; mostly it has also ended then.
        let ended = std::future::poll_fn(|cx| match running.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if exchange.has_answer() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await;
        if too_long.happened() {
            return Err(Failure::BodyTooLong);
        }
        let still_running = match ended {
            Some(Ok(())) => None,
            Some(Err(failure)) => return Err(failure),
            None => Some(running),
        };
        match exchange.take() {
            None => Err(Failure::NoAnswer),
            Some(Err(code)) => Err(Failure::Refused(format!("{code:?}"))),
            Some(Ok(response)) => Ok(response.map(|body| match still_running {
                None => Answer::Guest(body),
                Some(running) => Answer::Live(LiveBody::new(body, running, Arc::clone(&self.grants.service))),
            })),
        }
    }

    /// Runs an instance on a request until it ends, also after its answer.
    async fn run<B>(
        self: Arc<Self>,
        request: Request<BoundedBody<B, Error>>,
        exchange: Arc<Exchange>,
        deadline: Instant,
        room: Place,
    ) -> Result<(), Failure>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        // The instance's own clock stops it when it computes, this one when it waits.
        let result = timeout_at(deadline.into(), async {
            let mut instance = self.instance(deadline).await?;
            instance.served += 1;
            instance.exports.serve(&mut instance.store, request, exchange).await?;
            self.keep(instance);
            Ok(())
        })
        .await;
        // Only now is the slot of the instance free for the next request.
        drop(room);
        result.unwrap_or(Err(Failure::TooSlow))
    }

    /// A warm instance, or a fresh one.
    ///
    /// # Errors
    /// The component fails while it is instantiated.
    pub async fn instance(&self, deadline: Instant) -> Result<Instance, Failure> {
        let warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(mut instance) = warm {
            self.host.warm.fetch_sub(1, Ordering::Relaxed);
            instance.store.data_mut().deadline = deadline;
            // Ticks went by while it waited.
            instance.store.set_epoch_deadline(1);
            return Ok(instance);
        }
        let mut store = State::store(&self.host.engine, &self.grants, deadline);
        match self.component.instantiate(&mut store).await {
            Ok(exports) => {
                self.first.made();
                Ok(Instance { store, exports, served: 0 })
            }
            Err(error) => Err(failure(error, &store)),
        }
    }

    /// Keeps an instance for the next request, or drops it.
    fn keep(&self, instance: Instance) {
        let settings = &self.host.settings.common;
        if instance.served >= settings.reuse.get() {
            return;
        }
        // The pool has room for as many warm instances as running ones, of all services together.
        if self.host.warm.fetch_add(1, Ordering::Relaxed) >= settings.max_instances.get() {
            self.host.warm.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        self.warm.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
    }
}

/// A component's instance with its memory.
pub struct Instance {
    store: Store<State>,
    exports: Exports,
    served: u32,
}

/// Tells how a call ended from its error, and from the limit on memory if the instance reached it.
pub(crate) fn failure(error: wasmtime::Error, store: &Store<State>) -> Failure {
    if error.is::<DeadlineReached>() {
        Failure::TooSlow
    } else if let Some(limit) = store.data().refused_memory() {
        Failure::OutOfMemory { limit, cause: error.into() }
    } else {
        Failure::Trapped(error.into())
    }
}
