//! Bodies of requests, bounded.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::failure::Failure;

/// The body of a request as it comes from a connection.
pub trait RequestBody: Body<Data = Bytes, Error = hyper::Error> + Send + Unpin + 'static {}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Send + Unpin + 'static> RequestBody for B {}

/// Why there is no more of a body.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is longer than it may be.
    #[error("the body is longer than it may be")]
    TooLong,
    /// The connection broke, or what came over it was not HTTP.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLong => Self::BodyTooLong,
            BodyError::Broken(error) => Self::BadRequest(error.into()),
        }
    }
}

/// Whether the body of a request turned out to be longer than it may be: known to the host when its component ends in
/// whatever way it does over that.
#[derive(Debug, Clone, Default)]
pub struct TooLong(Arc<AtomicBool>);

impl TooLong {
    /// Whether it did.
    pub fn happened(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The body of a request, cut with an error where it gets longer than it may be.
#[derive(Debug)]
pub struct BoundedBody<B> {
    body: B,
    left: u64,
    too_long: TooLong,
}

impl<B> BoundedBody<B> {
    /// Lets through at most `most` bytes.
    pub fn new(body: B, most: u64, too_long: TooLong) -> Self {
        Self { body, left: most, too_long }
    }
}

impl<B: RequestBody> Body for BoundedBody<B> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            Some(Ok(frame)) => frame,
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(left) = this.left.checked_sub(length) else {
            this.too_long.0.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(BodyError::TooLong)));
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
