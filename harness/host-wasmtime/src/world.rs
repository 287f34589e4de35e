//! The worlds of the components that are served: what an instance exports, and calling it.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tare_host::direct;
use tare_host::failure::Failure;
use wasmtime::Store;
use wasmtime::component::InstancePre;
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
    /// It exports neither handler.
    pub fn new(component: InstancePre<State>) -> anyhow::Result<Self> {
        if let Ok(direct) = DirectPre::new(component.clone()) {
            return Ok(Self::Direct(direct));
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
    /// Lets the instance answer a request, and waits for it to end.
    ///
    /// # Errors
    /// It does not end well.
    pub async fn serve<B>(
        &self,
        store: &mut Store<State>,
        request: Request<B>,
        exchange: Arc<Exchange>,
    ) -> Result<(), Failure>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Error>,
    {
        match self {
            Self::Http(proxy) => through_http(proxy, store, request, exchange).await,
            Self::Direct(direct) => directly(direct, store, request, &exchange).await,
        }
    }
}

async fn through_http<B>(
    proxy: &Proxy,
    store: &mut Store<State>,
    request: Request<B>,
    exchange: Arc<Exchange>,
) -> Result<(), Failure>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Error>,
{
    let mut http = store.data_mut().http();
    let request =
        http.new_incoming_request(Scheme::Http, request).map_err(|error| Failure::BadRequest(error.into()))?;
    let answer = http
        .new_response_outparam_from_callback(move |answer| exchange.set(answer))
        .map_err(|error| Failure::Trapped(error.into()))?;
    let called = proxy.wasi_http_incoming_handler().call_handle(&mut *store, request, answer).await;
    called.map_err(|error| failure(error, store))
}

async fn directly<B>(
    direct: &Direct,
    store: &mut Store<State>,
    request: Request<B>,
    exchange: &Exchange,
) -> Result<(), Failure>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Error>,
{
    let request = direct::collected(request.map(|body| body.map_err(Into::into))).await?;
    let headers = request.headers().iter();
    let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let (method, target) = (request.method().as_str(), direct::target(&request));
    let asked = handler::Request { method, target, headers: &headers, body: request.body() };
    let answered = direct.tare_direct_handler().call_handle(&mut *store, asked).await;
    let handler::Response { status, headers, body } = answered.map_err(|error| failure(error, store))?;
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
    let response = direct::response(status, headers, body.into())?;
    exchange.set(Ok(response.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync())));
    Ok(())
}
