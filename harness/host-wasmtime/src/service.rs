//! A service: one component, its state, and its instances.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Instant;

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};
use wasmtime_wasi_http::{Error, WasiHttpView};

use crate::answer::{Answer, Failure, LiveBody, Running};
use crate::exchange::{BoundedBody, Exchange};
use crate::keyvalue::Values;
use crate::settings::Settings;
use crate::state::{Grants, State};
use crate::{component, engine, events, log, state};

/// What the services of a process share.
pub struct Host {
    engine: Engine,
    linker: Linker<State>,
    settings: Settings,
    /// The environment granted to every component.
    env: Vec<(String, String)>,
    /// How many more requests may run.
    room: Arc<Semaphore>,
    /// How many warm instances wait for a request, of all services.
    warm: AtomicUsize,
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
        let room = Arc::new(Semaphore::new(most_at_once(&settings)));
        Ok(Arc::new(Self { engine, linker, settings, env, room, warm: AtomicUsize::new(0) }))
    }

    /// The engine that runs the components.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Waits for room to run a request.
    async fn admit(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() {
            return Ok(permit);
        }
        let permit = timeout_at(deadline.into(), Arc::clone(&self.room).acquire_owned()).await;
        permit.map_err(|_| Failure::TooBusy)?.map_err(|_| Failure::TooBusy)
    }
}

fn most_at_once(settings: &Settings) -> usize {
    usize::try_from(settings.max_instances.get()).map_or(Semaphore::MAX_PERMITS, |n| n.min(Semaphore::MAX_PERMITS))
}

/// A component that is ready to be instantiated, with what its instances share.
pub struct Service {
    host: Arc<Host>,
    grants: Grants,
    component: ProxyPre<State>,
    /// Instances that served requests and may serve more; the last used one first, since its memory is in the caches.
    warm: Mutex<Vec<Instance>>,
}

impl Service {
    /// Loads or compiles a component, announcing the phases.
    ///
    /// # Errors
    /// See [`component::open`], and the component imports what this host does not have.
    pub fn open(host: &Arc<Host>, name: &str, path: &Path) -> anyhow::Result<Arc<Self>> {
        let (component, origin) = component::open(&host.engine, path)?;
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
        let component = ProxyPre::new(host.linker.instantiate_pre(component)?)?;
        let grants = Grants {
            service: name.into(),
            env: host.env.clone(),
            values: Arc::new(Values::default()),
            memory_limit: host.settings.memory_limit,
        };
        Ok(Arc::new(Self { host: Arc::clone(host), grants, component, warm: Mutex::default() }))
    }

    /// Answers a request. What goes wrong is answered as well, and logged.
    pub async fn handle<B>(self: &Arc<Self>, request: Request<B>) -> Response<Answer>
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
                failure.answer()
            }
        }
    }

    async fn try_handle<B>(self: &Arc<Self>, request: Request<B>) -> Result<Response<Answer>, Failure>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        let settings = &self.host.settings;
        let deadline = Instant::now() + settings.deadline;
        if request.body().size_hint().lower() > settings.max_body {
            return Err(Failure::BodyTooLong);
        }
        let room = self.host.admit(deadline).await?;
        let exchange = Arc::new(Exchange::default());
        let request = request.map(|body| BoundedBody::new(body, settings.max_body, Arc::clone(&exchange)));
        let mut running: Running = Box::pin(Arc::clone(self).run(request, Arc::clone(&exchange), deadline, room));

        // Until the component has answered; mostly it has also ended then.
        let ended = std::future::poll_fn(|cx| match running.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if exchange.has_answer() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await;
        if exchange.body_was_too_long() {
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
        request: Request<BoundedBody<B>>,
        exchange: Arc<Exchange>,
        deadline: Instant,
        room: OwnedSemaphorePermit,
    ) -> Result<(), Failure>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        // The instance's own clock stops it when it computes, this one when it waits.
        let result = timeout_at(deadline.into(), async {
            let mut instance = self.instance(deadline).await?;
            instance.serve(request, exchange).await?;
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
        match self.component.instantiate_async(&mut store).await {
            Ok(proxy) => Ok(Instance { store, proxy, served: 0 }),
            Err(error) => Err(failure(error, &store)),
        }
    }

    /// Keeps an instance for the next request, or drops it.
    fn keep(&self, instance: Instance) {
        let settings = &self.host.settings;
        if instance.served >= settings.reuse.get() {
            return;
        }
        // The pool has room for as many warm instances as running ones, of all services together.
        if self.host.warm.fetch_add(1, Ordering::Relaxed) >= most_at_once(settings) {
            self.host.warm.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        self.warm.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
    }
}

/// A component's instance with its memory.
pub struct Instance {
    store: Store<State>,
    proxy: Proxy,
    served: u32,
}

impl Instance {
    /// Lets the instance answer a request, and waits for it to end.
    async fn serve<B>(&mut self, request: Request<B>, exchange: Arc<Exchange>) -> Result<(), Failure>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Error>,
    {
        self.served += 1;
        let mut http = self.store.data_mut().http();
        let request = http.new_incoming_request(Scheme::Http, request).map_err(Failure::BadRequest)?;
        let answer =
            http.new_response_outparam_from_callback(move |answer| exchange.set(answer)).map_err(Failure::Trapped)?;
        let handler = self.proxy.wasi_http_incoming_handler();
        match handler.call_handle(&mut self.store, request, answer).await {
            Ok(()) => Ok(()),
            Err(error) => Err(failure(error, &self.store)),
        }
    }
}

fn failure(error: wasmtime::Error, store: &Store<State>) -> Failure {
    Failure::of(error, store.data().refused_memory())
}
