//! Requests that components send: plain HTTP/1.1, to where they are granted to.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use tare_host::grants::{Destination, Grants};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// How long each step may take where a component does not say. The deadline of its own request ends it long before.
const PATIENCE: Duration = Duration::from_mins(10);

/// What goes on while the body of a response is read.
type Connection = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// Sends the requests of an instance, or denies them.
#[derive(Debug)]
pub struct Outgoing(Arc<Grants>);

impl Outgoing {
    /// To where the grants allow it.
    pub fn new(grants: Arc<Grants>) -> Self {
        Self(grants)
    }
}

impl WasiHttpHooks for Outgoing {
    /// Plain HTTP is all that there is.
    fn default_scheme(&mut self) -> Option<Scheme> {
        Some(Scheme::HTTP)
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Connection,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Connection), Error>> + Send> {
        let checked = check(&self.0, request.uri());
        Box::new(async move { send(checked?, request, options.unwrap_or_default()).await })
    }
}

/// Returns where a request goes.
fn check(grants: &Grants, uri: &Uri) -> Result<Destination, Error> {
    let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
    let destination = grants.destination(authority).ok_or(Error::HttpRequestDenied)?;
    if uri.scheme() != Some(&Scheme::HTTP) {
        let why =
            "this host sends plain http only; send the request to an http:// address, or through a proxy that does TLS";
        return Err(Error::InternalError(Some(why.to_owned())));
    }
    Ok(destination.clone())
}

async fn send(
    destination: Destination,
    mut request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<(Response<WasiBody>, Connection), Error> {
    let connect = options.connect_timeout.unwrap_or(PATIENCE);
    let first_byte = options.first_byte_timeout.unwrap_or(PATIENCE);
    let between_bytes = options.between_bytes_timeout.unwrap_or(PATIENCE);

    let connected = timeout(connect, TcpStream::connect(destination.address())).await;
    let stream = connected.map_err(|_| Error::ConnectionTimeout)?.map_err(Error::Connect)?;
    // As on the connections that come in.
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // A server wants the path alone; the authority is in the header `host`.
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = path.into();

    // It has to go on while the response is waited for.
    let task = tokio::spawn(connection);
    let abort = Abort(task.abort_handle());
    let response = timeout(first_byte, sender.send_request(request)).await;
    let response = response.map_err(|_| Error::ConnectionReadTimeout)??;
    let driven = async move {
        let _abort = abort;
        match task.await {
            Ok(ended) => ended.map_err(Error::from),
            Err(_) => Ok(()),
        }
    };
    let body = |body| TimedBody { body, patience: between_bytes, timer: Box::pin(sleep(between_bytes)) };
    Ok((response.map(|incoming| body(incoming).boxed_unsync()), Box::new(driven)))
}

/// Ends a task with whoever waits for it.
struct Abort(tokio::task::AbortHandle);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A body that fails where too much time goes by between two of its frames.
struct TimedBody {
    body: Incoming,
    patience: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            let next = tokio::time::Instant::now() + this.patience;
            this.timer.as_mut().reset(next);
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        ready!(this.timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
