//! Bodies of requests, bounded.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
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
    /// Its client sent nothing for too long.
    #[error("the body stopped coming")]
    Stalled,
    /// The run of its request is over.
    #[error("the request that it belongs to is over")]
    Over,
    /// The connection broke, or what came over it was not HTTP.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLong => Self::BodyTooLong,
            BodyError::Stalled => Self::BodyStalled,
            BodyError::Over => Self::BadRequest(error.into()),
            BodyError::Broken(error) => Self::BadRequest(error.into()),
        }
    }
}

/// Whether the host cut the body of a request, and why: known to the host when its component ends in whatever way it does over
/// that.
#[derive(Debug, Clone, Default)]
pub struct Cut(Arc<OnceLock<Reason>>);

#[derive(Debug, Clone, Copy)]
enum Reason {
    TooLong,
    Stalled,
}

impl Cut {
    /// Returns what the client did wrong, if it was cut.
    pub fn failure(&self) -> Option<Failure> {
        self.0.get().map(|reason| match reason {
            Reason::TooLong => Failure::BodyTooLong,
            Reason::Stalled => Failure::BodyStalled,
        })
    }

    /// The body is too long.
    fn too_long(&self) -> BodyError {
        self.0.get_or_init(|| Reason::TooLong);
        BodyError::TooLong
    }

    /// The body stopped coming.
    pub(crate) fn stalled(&self) -> BodyError {
        self.0.get_or_init(|| Reason::Stalled);
        BodyError::Stalled
    }
}

/// The body of a request, cut with an error where it gets longer than it may be.
#[derive(Debug)]
pub struct BoundedBody<B> {
    body: B,
    left: u64,
    cut: Cut,
}

impl<B> BoundedBody<B> {
    /// Lets through at most `most` bytes.
    pub fn new(body: B, most: u64, cut: Cut) -> Self {
        Self { body, left: most, cut }
    }

    /// What is known of why it was cut.
    pub(crate) fn cut(&self) -> &Cut {
        &self.cut
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
            return Poll::Ready(Some(Err(this.cut.too_long())));
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
