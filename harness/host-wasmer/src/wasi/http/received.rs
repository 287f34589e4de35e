//! A body as it comes in.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use tare_host::backend::BoxError;
use tare_host::body::BodyError;

use super::ErrorCode;

/// The body of a request on the connection.
pub type RequestBody = Box<dyn Body<Data = Bytes, Error = BoxError> + Send + Unpin>;

/// What is received of a body: as much as a frame of it is kept.
pub struct Received {
    /// Nothing once it has ended.
    body: Option<RequestBody>,
    buffer: Bytes,
    error: Option<ErrorCode>,
    trailers: Option<HeaderMap>,
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a body with {} bytes to be read", self.buffer.len())
    }
}

impl Received {
    /// A body of which nothing was read.
    pub fn new(body: RequestBody) -> Self {
        Self { body: Some(body), buffer: Bytes::new(), error: None, trailers: None }
    }

    /// Waits until there is something to read, be it the end.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.buffer.is_empty() && self.error.is_none() {
            let Some(body) = &mut self.body else { break };
            match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.buffer = data,
                    Err(frame) => self.trailers = frame.into_trailers().ok(),
                },
                Some(Err(error)) => {
                    self.body = None;
                    self.error = Some(code(error.as_ref()));
                }
                None => self.body = None,
            }
        }
        Poll::Ready(())
    }

    /// Reads at most so many bytes: none where there is nothing yet, nothing at the end. An error is told once.
    pub fn read(&mut self, length: usize) -> Result<Option<Bytes>, ErrorCode> {
        if self.poll_ready(&mut Context::from_waker(Waker::noop())).is_pending() {
            return Ok(Some(Bytes::new()));
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let length = length.min(self.buffer.len());
        Ok(Some(self.buffer.split_to(length)))
    }

    /// Waits for the end, whatever comes before it.
    pub fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<HeaderMap>, ErrorCode>> {
        loop {
            ready!(self.poll_ready(cx));
            if let Some(error) = self.error.take() {
                return Poll::Ready(Err(error));
            }
            if self.buffer.is_empty() {
                return Poll::Ready(Ok(self.trailers.take()));
            }
            self.buffer.clear();
        }
    }
}

/// Why there is no more of a body.
fn code(error: &(dyn std::error::Error + 'static)) -> ErrorCode {
    match error.downcast_ref() {
        Some(BodyError::TooLong) => ErrorCode::HttpRequestBodySize(None),
        Some(BodyError::Stalled) => ErrorCode::ConnectionReadTimeout,
        Some(BodyError::Over | BodyError::Broken(_)) | None => ErrorCode::HttpProtocolError,
    }
}
