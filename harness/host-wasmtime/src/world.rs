//! The worlds of the components that are served: what an instance exports, and calling it.

use std::sync::Arc;

use anyhow::anyhow;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tare_host::failure::Failure;
use tare_host::{direct, refusal};
use wasmtime::component::InstancePre;
use wasmtime::{Engine, Store};
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};
use wasmtime_wasi_http::{Error, WasiHttpView};

use self::generated::exports::tare::direct::handler;
use self::generated::{Direct, DirectPre};
use crate::exchange::Exchange;
use crate::service::failure;
use crate::state::State;

mod generated {
    wasmtime::component::bindgen!({
        path: "../host/wit/direct",
        world: "direct",
        exports: { default: async },
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

/// A component with its imports found, of one of the worlds.
pub enum Linked {
    /// It exports the handler of `wasi:http`.
    Http(ProxyPre<State>),
    /// It exports a function of plain values.
    Direct(DirectPre<State>),
}

/// An instance's exports.
pub enum Exports {
    /// See [`Linked::Http`].
    Http(Proxy),
    /// See [`Linked::Direct`].
    Direct(Direct),
}

impl Linked {
    /// Tells by what the component exports.
    ///
    /// # Errors
    /// It exports neither handler, or one of another type.
    pub fn new(engine: &Engine, component: InstancePre<State>) -> anyhow::Result<Self> {
        let ty = component.component().component_type();
        if let Ok(direct) = DirectPre::new(component.clone()) {
            return Ok(Self::Direct(direct));
        }
        let exports: Vec<&str> = ty.exports(engine).map(|(name, _)| name).collect();
        if !exports.iter().any(|name| name.starts_with("wasi:http/incoming-handler@0.2.")) {
            return Err(anyhow!(refusal::no_handler(exports)));
        }
        Ok(Self::Http(ProxyPre::new(component)?))
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// The component fails while it is instantiated.
    pub async fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Exports> {
        Ok(match self {
            Self::Http(component) => Exports::Http(component.instantiate_async(store).await?),
            Self::Direct(component) => Exports::Direct(component.instantiate_async(store).await?),
        })
    }
}

impl Exports {
    /// The handler of `wasi:http`.
    ///
    /// # Errors
    /// The component is of the other world.
    pub fn http(&self) -> Result<&Proxy, Failure> {
        match self {
            Self::Http(proxy) => Ok(proxy),
            Self::Direct(_) => Err(other_world()),
        }
    }

    /// The function of plain values.
    ///
    /// # Errors
    /// The component is of the other world.
    pub fn direct(&self) -> Result<&Direct, Failure> {
        match self {
            Self::Direct(direct) => Ok(direct),
            Self::Http(_) => Err(other_world()),
        }
    }
}

/// The service asks only for what its component has.
fn other_world() -> Failure {
    Failure::Trapped(anyhow!("the component is of the other world"))
}

/// Calling the handler of `wasi:http`.
pub trait HttpHandler {
    /// Lets the instance answer a request, and waits for it to end. The answer is left in `exchange`.
    ///
    /// # Errors
    /// It does not end well, or the request is not one that it can be given.
    fn serve<B>(
        &self,
        store: &mut Store<State>,
        request: Request<B>,
        exchange: Arc<Exchange>,
    ) -> impl Future<Output = Result<(), Failure>> + Send
    where
        B: Body<Data = Bytes, Error = Error> + Send + 'static;
}

impl HttpHandler for Proxy {
    async fn serve<B>(
        &self,
        store: &mut Store<State>,
        request: Request<B>,
        exchange: Arc<Exchange>,
    ) -> Result<(), Failure>
    where
        B: Body<Data = Bytes, Error = Error> + Send + 'static,
    {
        let mut http = store.data_mut().http();
        let request =
            http.new_incoming_request(Scheme::Http, request).map_err(|error| Failure::BadRequest(error.into()))?;
        let answer = http
            .new_response_outparam_from_callback(move |answer| exchange.set(answer))
            .map_err(|error| Failure::Trapped(error.into()))?;
        let called = self.wasi_http_incoming_handler().call_handle(&mut *store, request, answer).await;
        called.map_err(|error| failure(error, store))
    }
}

/// Calling a function of plain values.
pub trait DirectHandler {
    /// Asks the instance for the response to a request.
    ///
    /// # Errors
    /// It does not end well, or its response is not one of HTTP.
    fn serve(
        &self,
        store: &mut Store<State>,
        request: &Request<Bytes>,
    ) -> impl Future<Output = Result<Response<Bytes>, Failure>> + Send;
}

impl DirectHandler for Direct {
    async fn serve(&self, store: &mut Store<State>, request: &Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let headers = request.headers().iter();
        let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let (method, target) = (request.method().as_str(), direct::target(request));
        let asked = handler::Request { method, target, headers: &headers, body: request.body() };
        let answered = self.tare_direct_handler().call_handle(&mut *store, asked).await;
        let handler::Response { status, headers, body } = answered.map_err(|error| failure(error, store))?;
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        direct::response(status, headers, body.into())
    }
}
