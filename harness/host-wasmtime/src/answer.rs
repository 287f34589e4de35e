//! What goes back to a client: a component's answer, or the host's own when there is none.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::log;
use crate::state::DeadlineReached;

/// Why a component did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It ended in the middle, or the host could not begin.
    #[error("the component failed: {0:#}")]
    Trapped(wasmtime::Error),
    /// It ended after it had been refused memory.
    #[error(
        "the component failed after it had asked for more than the {limit} bytes of memory that it may have \
         (--memory-limit): {cause:#}"
    )]
    OutOfMemory {
        /// What it may have, in bytes.
        limit: usize,
        /// How it ended.
        cause: wasmtime::Error,
    },
    /// It ran until its deadline.
    #[error("the component took longer than it may (--deadline)")]
    TooSlow,
    /// There was no room to begin before the deadline.
    #[error("the request waited for its turn until its deadline; more run at once than --max-instances allows")]
    TooBusy,
    /// It ended without an answer.
    #[error("the component ended without an answer")]
    NoAnswer,
    /// It answered that it cannot.
    #[error("the component answered with an error: {0}")]
    Refused(String),
    /// The body of the request is longer than it may be.
    #[error("the body of the request is longer than it may be (--max-body)")]
    BodyTooLong,
    /// The request is not one that a component can be given.
    #[error("the request is not valid: {0:#}")]
    BadRequest(wasmtime::Error),
}

impl Failure {
    /// Tells how a call ended from its error, and from the limit on memory if the instance reached it.
    pub fn of(error: wasmtime::Error, refused_memory: Option<usize>) -> Self {
        if error.is::<DeadlineReached>() {
            Self::TooSlow
        } else if let Some(limit) = refused_memory {
            Self::OutOfMemory { limit, cause: error }
        } else {
            Self::Trapped(error)
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Trapped(_) | Self::OutOfMemory { .. } | Self::NoAnswer | Self::Refused(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::TooSlow => StatusCode::GATEWAY_TIMEOUT,
            Self::TooBusy => StatusCode::SERVICE_UNAVAILABLE,
            Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether it is the client's doing, which is not worth a line in the log.
    pub fn is_of_the_client(&self) -> bool {
        matches!(self, Self::BodyTooLong | Self::BadRequest(_))
    }

    /// The host's answer: `application/problem+json` (RFC 9457). What happened inside is for the log, not for clients.
    pub fn answer(&self) -> Response<Answer> {
        let status = self.status();
        let title = status.canonical_reason().unwrap_or_default();
        let problem = serde_json::json!({ "type": "about:blank", "title": title, "status": status.as_u16() });
        let mut response = Response::new(Answer::Host(Some(problem.to_string().into())));
        *response.status_mut() = status;
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

/// A component at work on a request. Ends with `Err` if it did not end well.
pub type Running = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// The body of an answer.
pub enum Answer {
    /// The host's own words.
    Host(Option<Bytes>),
    /// What a component wrote before it ended: the usual case.
    Guest(WasiBody),
    /// What a component still writes.
    Live(LiveBody),
}

/// A body together with the component that writes it: whoever reads the body also drives the component, so that no task
/// of its own is needed, and a slow reader slows the component down.
pub struct LiveBody {
    body: WasiBody,
    running: Option<Running>,
    service: Arc<str>,
}

impl LiveBody {
    /// The body of an answer whose component is still `running`.
    pub fn new(body: WasiBody, running: Running, service: Arc<str>) -> Self {
        Self { body, running: Some(running), service }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(running) = &mut self.running
            && let Poll::Ready(result) = running.as_mut().poll(cx)
        {
            self.running = None;
            if let Err(failure) = result {
                log::line(&self.service, &failure.to_string());
                // The connection is cut, so that the client cannot take the answer for whole.
                return Poll::Ready(Some(Err(Error::HttpResponseIncomplete)));
            }
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }
}

impl Drop for LiveBody {
    /// A component may go on after its answer is out, until its deadline.
    fn drop(&mut self) {
        if let (Some(running), Ok(runtime)) = (self.running.take(), tokio::runtime::Handle::try_current()) {
            let service = Arc::clone(&self.service);
            runtime.spawn(async move {
                if let Err(failure) = running.await {
                    log::line(&service, &failure.to_string());
                }
            });
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Host(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Guest(body) => Pin::new(body).poll_frame(cx),
            Self::Live(live) => live.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Host(bytes) => bytes.is_none(),
            Self::Guest(body) => body.is_end_stream(),
            Self::Live(live) => live.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Host(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Guest(body) => body.size_hint(),
            Self::Live(live) => live.body.size_hint(),
        }
    }
}
