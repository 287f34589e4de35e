//! Serving as a component: the host calls [`handle`] once per request, and the router is driven to its end.
//!
//! There is no event loop. Everything a handler can wait for on this side (a request's body, the store) blocks inside
//! of the component, so a handler's future is never pending for a reason that a second poll would not cure.

use std::io::{self, Write};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use axum::Router;
use axum::body::Body;
use axum::http::{self, HeaderName, HeaderValue, Method, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Body as _, Frame};
use wasip2::http::types::{ErrorCode, Fields, IncomingBody, Method as WasiMethod, OutgoingBody, OutgoingResponse};
use wasip2::io::streams::{InputStream, StreamError};

use crate::store::KeyValue;
use crate::{ConfigError, Problem};

pub use wasip2;
pub use wasip2::exports::http::incoming_handler::Guest;
pub use wasip2::http::proxy::export;
pub use wasip2::http::types::{IncomingRequest, ResponseOutparam};

/// Keeps the router between the requests of one instance, where the host lets an instance serve several.
pub type RouterCell = OnceLock<Router>;

/// The most of a request's body that is asked of the host at once, in bytes.
const CHUNK: u64 = 64 * 1024;

/// Answers one request. Called by [`serve!`](crate::serve).
pub fn handle(
    cell: &RouterCell,
    app: fn(KeyValue) -> Result<Router, ConfigError>,
    request: IncomingRequest,
    answer: ResponseOutparam,
) {
    let response = match (router(cell, app), incoming(request)) {
        (Ok(router), Ok(request)) => complete(tower_call(router, request)),
        (Err(error), _) => {
            // The host's log is the place for this, not the caller.
            let _ = writeln!(io::stderr(), "not configured: {error}");
            Problem::internal().into_response()
        }
        (_, Err(problem)) => problem.into_response(),
    };
    send(response, answer);
}

/// What `wasmtime run` and its like get to see.
pub fn refuse_to_run(service: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{service} answers HTTP requests; serve it, as by `wasmtime serve`");
    ExitCode::FAILURE
}

/// Runs a long computation; an instance has one request and one thread, so there is nobody to hold up.
pub async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    Ok(work())
}

fn router(cell: &RouterCell, app: fn(KeyValue) -> Result<Router, ConfigError>) -> Result<Router, ConfigError> {
    if let Some(router) = cell.get() {
        return Ok(router.clone());
    }
    let router = app(KeyValue::default())?;
    Ok(cell.get_or_init(|| router).clone())
}

async fn tower_call(mut router: Router, request: http::Request<Body>) -> Response {
    use axum::extract::Request;
    use tower_service::Service;
    // A router is always ready, and cannot fail.
    let Ok(response) = Service::<Request>::call(&mut router, request).await;
    response
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

/// Polls a future to its end.
///
/// # Panics
/// When the future waits for something that nothing on this side can bring about: the host ends the request then.
fn complete<T>(future: impl Future<Output = T>) -> T {
    struct Woken(AtomicBool);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        assert!(woken.0.swap(false, Ordering::Relaxed), "a handler waits for something that cannot come");
    }
}
