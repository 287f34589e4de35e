//! What a component writes of an answer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tare_host::failure::Failure;
use tare_host::log;
use wasmtime_wasi_http::{Error, WasiBody};

/// A component at work on a request. Ends with `Err` if it did not end well.
pub type Running = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// The body of an answer.
pub enum GuestBody {
    /// What a component wrote before it ended: the usual case.
    Ended(WasiBody),
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

impl Body for GuestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Ended(body) => Pin::new(body).poll_frame(cx),
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
