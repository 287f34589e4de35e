//! What passes between the host and an instance during one request.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{Error, WasiBody};

/// What a component answers.
pub type GuestAnswer = Result<http::Response<WasiBody>, ErrorCode>;

/// Shared by the host and one request's instance.
#[derive(Default)]
pub struct Exchange {
    answer: Mutex<Option<GuestAnswer>>,
    body_too_long: AtomicBool,
}

impl Exchange {
    /// The component answers; the first answer counts.
    pub fn set(&self, answer: GuestAnswer) {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(answer);
    }

    /// Whether the component has answered.
    pub fn has_answer(&self) -> bool {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The component's answer.
    pub fn take(&self) -> Option<GuestAnswer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether the request's body turned out to be longer than it may be.
    pub fn body_was_too_long(&self) -> bool {
        self.body_too_long.load(Ordering::Relaxed)
    }
}

/// The body of a request, cut with an error where it gets longer than it may be.
pub struct BoundedBody<B> {
    body: B,
    left: u64,
    exchange: Arc<Exchange>,
}

impl<B> BoundedBody<B> {
    /// Lets through at most `most` bytes.
    pub fn new(body: B, most: u64, exchange: Arc<Exchange>) -> Self {
        Self { body, left: most, exchange }
    }
}

impl<B> Body for BoundedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Error>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            Some(Ok(frame)) => frame,
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(left) = this.left.checked_sub(length) else {
            this.exchange.body_too_long.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(Error::HttpRequestBodySize(None))));
        };
        this.left = left;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
