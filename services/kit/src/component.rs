//! Serving as a component of the `wasi:http/proxy` world: the host calls [`handle`] once per request.

use std::io::{self, Write};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::http::{self, HeaderName, HeaderValue, Method, Uri};
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as _, Frame};
use wasip2::http::types::{ErrorCode, Fields, IncomingBody, Method as WasiMethod, OutgoingBody, OutgoingResponse};
use wasip2::io::streams::{InputStream, StreamError};

use crate::guest::{self, complete};
use crate::store::KeyValue;
use crate::{ConfigError, Problem};

pub use crate::guest::{RouterCell, refuse_to_run};
pub use wasip2;
pub use wasip2::exports::http::incoming_handler::Guest;
pub use wasip2::http::proxy::export;
pub use wasip2::http::types::{IncomingRequest, ResponseOutparam};

/// The most of a request's body that is asked of the host at once, in bytes.
const CHUNK: u64 = 64 * 1024;

/// Answers one request. Called by [`serve!`](crate::serve).
pub fn handle(
    cell: &RouterCell,
    app: fn(KeyValue) -> Result<Router, ConfigError>,
    request: IncomingRequest,
    answer: ResponseOutparam,
) {
    send(guest::answer(cell, app, incoming(request)), answer);
}

/// The host's request as the router wants it. Fails on what HTTP itself does not allow.
fn incoming(request: IncomingRequest) -> Result<http::Request<Body>, Problem> {
    let malformed = |what: &str| Problem::bad_request(format!("The request's {what} is not valid."));
    let mut headers = http::HeaderMap::new();
    for (name, value) in request.headers().entries() {
        let name = HeaderName::try_from(name).map_err(|_| malformed("header"))?;
        headers.append(name, HeaderValue::try_from(value).map_err(|_| malformed("header"))?);
    }
    let path = request.path_with_query().unwrap_or_else(|| "/".into());
    let method = method(request.method()).ok_or_else(|| malformed("method"))?;
    let body = Body::new(RequestBody::Unopened(request));
    let mut converted = http::Request::new(body);
    *converted.method_mut() = method;
    *converted.uri_mut() = Uri::try_from(path).map_err(|_| malformed("target"))?;
    *converted.headers_mut() = headers;
    Ok(converted)
}

fn method(method: WasiMethod) -> Option<Method> {
    Some(match method {
        WasiMethod::Get => Method::GET,
        WasiMethod::Head => Method::HEAD,
        WasiMethod::Post => Method::POST,
        WasiMethod::Put => Method::PUT,
        WasiMethod::Delete => Method::DELETE,
        WasiMethod::Connect => Method::CONNECT,
        WasiMethod::Options => Method::OPTIONS,
        WasiMethod::Trace => Method::TRACE,
        WasiMethod::Patch => Method::PATCH,
        WasiMethod::Other(name) => Method::from_bytes(name.as_bytes()).ok()?,
    })
}

/// A request's body, opened when a handler first reads it: most requests have none, and asking costs calls to the host.
enum RequestBody {
    Unopened(IncomingRequest),
    // The stream belongs to the body and goes first.
    Open(InputStream, #[expect(dead_code, reason = "the host ends the stream when its body is dropped")] IncomingBody),
    Ended,
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let broken = || io::Error::other("the body of the request broke off");
        if let Self::Unopened(request) = &*self {
            let body = request.consume().map_err(|()| broken())?;
            let stream = body.stream().map_err(|()| broken())?;
            *self = Self::Open(stream, body);
        }
        let Self::Open(stream, _) = &*self else { return Poll::Ready(None) };
        let frame = match stream.blocking_read(CHUNK) {
            Ok(chunk) => return Poll::Ready(Some(Ok(Frame::data(chunk.into())))),
            Err(StreamError::Closed) => None,
            Err(StreamError::LastOperationFailed(_)) => Some(Err(broken())),
        };
        *self = Self::Ended;
        Poll::Ready(frame)
    }
}

/// Hands the answer to the host: its head at once, so that the host can send it while the body is written.
fn send(response: Response, answer: ResponseOutparam) {
    let (head, body) = response.into_parts();
    let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_owned()));
    let outgoing = Fields::from_list(&headers.collect::<Vec<_>>())
        .map_err(|error| error.to_string())
        .and_then(|fields| {
            let outgoing = OutgoingResponse::new(fields);
            outgoing.set_status_code(head.status.as_u16()).map_err(|()| "status".to_owned())?;
            Ok(outgoing)
        })
        .map_err(|what| ErrorCode::InternalError(Some(format!("the host refused the answer: {what}"))));
    let sink = outgoing.as_ref().ok().and_then(|outgoing| outgoing.body().ok());
    ResponseOutparam::set(answer, outgoing);
    let Some(sink) = sink else { return };
    // An unfinished body tells the host, and it the caller, that the answer is not whole.
    if write_body(&sink, body).is_ok() {
        // The host knows if the caller has gone away meanwhile.
        let _ = OutgoingBody::finish(sink, None);
    }
}

fn write_body(sink: &OutgoingBody, body: Body) -> Result<(), axum::Error> {
    let mut body = pin!(body);
    if body.is_end_stream() {
        return Ok(());
    }
    let mut stream = sink.write().map_err(|()| axum::Error::new(io::Error::other("the body was written before")))?;
    while let Some(frame) = complete(std::future::poll_fn(|context| body.as_mut().poll_frame(context))) {
        if let Ok(data) = frame?.into_data() {
            stream.write_all(&data).map_err(axum::Error::new)?;
        }
    }
    Ok(())
}

/// The entry of a service, see [`serve!`](crate::serve).
#[doc(hidden)]
#[macro_export]
macro_rules! entry {
    ($name:literal, $app:path) => {
        fn main() -> ::std::process::ExitCode {
            $crate::component::refuse_to_run($name)
        }

        const _: () = {
            struct Component;

            impl $crate::component::Guest for Component {
                fn handle(request: $crate::component::IncomingRequest, answer: $crate::component::ResponseOutparam) {
                    static ROUTER: $crate::component::RouterCell = $crate::component::RouterCell::new();
                    $crate::component::handle(&ROUTER, $app, request, answer);
                }
            }

    $crate::component::export!(Component with_types_in $crate::component::wasip2);
        };
    };
}
