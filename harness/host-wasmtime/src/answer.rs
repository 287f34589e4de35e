//! What a component writes of an answer.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::{Body, Frame, SizeHint};
use tare_host::failure::Failure;
use tare_host::log::ServiceLog;
use wasmtime_wasi_http::{Error, WasiBody};

/// A component at work on a request. Ends with `Err` if it did not end well.
pub type Running = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// The body of an answer.
pub enum GuestBody {
    /// What a component wrote before it ended: the usual case.
    Ended(EndedBody),
    /// What a component still writes.
    Live(LiveBody),
}

/// A body whose component has ended.
pub struct EndedBody {
    pieces: VecDeque<Bytes>,
    /// What came behind the pieces that is none.
    last: Option<Result<Frame<Bytes>, Error>>,
    more: Option<WasiBody>,
}

impl EndedBody {
    /// Takes out what was written, so that it is sent with its length, as the other host and native services do where they know
    /// it. Of an answer that tells its length in its headers nothing has to be known.
    pub async fn new(headers: &HeaderMap, body: WasiBody) -> Self {
        let mut ended = Self { pieces: VecDeque::new(), last: None, more: None };
        if headers.contains_key(header::CONTENT_LENGTH) || body.size_hint().exact().is_some() {
            ended.more = Some(body);
        } else {
            let mut body = Some(body);
            std::future::poll_fn(|cx| {
                ended.take_out(&mut body, cx);
                Poll::Ready(())
            })
            .await;
        }
        ended
    }

    fn take_out(&mut self, body: &mut Option<WasiBody>, cx: &mut Context<'_>) {
        while let Some(mut writing) = body.take() {
            match Pin::new(&mut writing).poll_frame(cx) {
                Poll::Ready(None) => {}
                Poll::Ready(Some(Err(error))) => self.last = Some(Err(error)),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(piece) => {
                        self.pieces.push_back(piece);
                        *body = Some(writing);
                    }
                    Err(trailers) => self.last = Some(Ok(trailers)),
                },
                // It is not written by the component alone.
                Poll::Pending => self.more = Some(writing),
            }
        }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(piece) = self.pieces.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match (self.last.take(), &mut self.more) {
            (Some(last), _) => Poll::Ready(Some(last)),
            (None, Some(more)) => Pin::new(more).poll_frame(cx),
            (None, None) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && self.last.is_none() && self.more.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.last, &self.more) {
            (None, None) => SizeHint::with_exact(self.pieces.iter().map(|piece| piece.len() as u64).sum()),
            (None, Some(more)) if self.pieces.is_empty() => more.size_hint(),
            _ => SizeHint::default(),
        }
    }
}

/// A body together with the component that writes it: whoever reads the body also drives the component, so that no task
/// of its own is needed, and a slow reader slows the component down.
pub struct LiveBody {
    body: WasiBody,
    running: Option<Running>,
    log: Arc<ServiceLog>,
}

impl LiveBody {
    /// The body of an answer whose component is still `running`.
    pub fn new(body: WasiBody, running: Running, log: Arc<ServiceLog>) -> Self {
        Self { body, running: Some(running), log }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(running) = &mut self.running
            && let Poll::Ready(result) = running.as_mut().poll(cx)
        {
            self.running = None;
            if let Err(failure) = result {
                self.log.line(&failure.to_string());
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
            let log = Arc::clone(&self.log);
            runtime.spawn(async move {
                if let Err(failure) = running.await {
                    log.line(&failure.to_string());
                }
            });
        }
    }
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Ended(body) => body.poll_frame(cx),
            Self::Live(live) => live.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Ended(body) => body.is_end_stream(),
            Self::Live(live) => live.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Ended(body) => body.size_hint(),
            Self::Live(live) => live.body.size_hint(),
        }
    }
}
