//! Bodies of requests, bounded.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

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
pub struct BoundedBody<B, E> {
    body: B,
    left: u64,
    too_long: TooLong,
    error: fn() -> E,
}

impl<B, E> BoundedBody<B, E> {
    /// Lets through at most `most` bytes; `error` is what a reader gets instead of more.
    pub fn new(body: B, most: u64, too_long: TooLong, error: fn() -> E) -> Self {
        Self { body, left: most, too_long, error }
    }
}

impl<B, E> Body for BoundedBody<B, E>
where
    B: Body<Data = Bytes, Error: Into<E>> + Unpin,
{
    type Data = Bytes;
    type Error = E;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        let this = self.get_mut();
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            Some(Ok(frame)) => frame,
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(left) = this.left.checked_sub(length) else {
            this.too_long.0.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err((this.error)())));
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
