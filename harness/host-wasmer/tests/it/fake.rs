//! A guest without a runtime: a memory, and a `realloc` that gives the next free bytes.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Full;
use tare_host::backend::BoxError;
use tare_host::body::Cut;
use tare_host::front::ServiceContext;
use tare_host::grants::Grants;
use tare_host::settings::defaults;
use tare_host_wasmer::abi::{Guest, Sink, Trap};
use tare_host_wasmer::reply::Reply;
use tare_host_wasmer::state::{Links, State};
use tare_host_wasmer::wasi::Caller;
use tare_host_wasmer::wasi::http::{IncomingRequest, ResponseOutparam};
use tokio::runtime::Runtime;

/// Where the fake `realloc` begins.
const HEAP: u32 = 32 * 1024;

pub(crate) struct Fake {
    pub(crate) memory: Vec<u8>,
    pub(crate) state: State,
    heap: u32,
    _runtime: Runtime,
}

impl Fake {
    /// A guest with this memory that serves a request, whose deadline is over: it must not wait.
    pub(crate) fn new(memory: Vec<u8>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let env = vec![("NAME".to_owned(), "value".to_owned())];
        let context = ServiceContext::new("fake", &Arc::new(Grants { env, ..Grants::default() }), defaults());
        let mut state = State::new(context, Links::default(), runtime.handle().clone());
        state.deadline = Instant::now();
        let (sender, _) = tokio::sync::oneshot::channel();
        let reply = Arc::new(Reply::new(sender, Cut::default()));
        state.reply = Some(Arc::clone(&reply));
        let request = http::Request::post("/path?query").header("host", "here").header("a", "b").body(()).unwrap();
        let body = http_body_util::BodyExt::map_err(Full::new(Bytes::from_static(b"body")), |never| -> BoxError {
            match never {}
        });
        let request = IncomingRequest::new(request.into_parts().0, Box::new(body)).unwrap();
        state.handles.push(request).unwrap();
        state.handles.push(ResponseOutparam(reply)).unwrap();
        Self { memory, state, heap: HEAP, _runtime: runtime }
    }
}

impl Sink for Fake {
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Trap> {
        let at = at as usize;
        let place = at.checked_add(bytes.len()).and_then(|end| self.memory.get_mut(at..end));
        place.ok_or_else(|| Trap::misuse("outside of memory"))?.copy_from_slice(bytes);
        Ok(())
    }

    fn allocate(&mut self, size: u32, align: u32) -> Result<u32, Trap> {
        let at = self.heap.next_multiple_of(align);
        let end = at.checked_add(size).filter(|end| *end as usize <= self.memory.len());
        self.heap = end.ok_or_else(|| Trap::misuse("no memory is left"))?;
        Ok(at)
    }
}

impl Caller for Fake {
    fn guest(&self) -> Guest<'_> {
        Guest::new(&self.memory)
    }

    fn state(&mut self) -> &mut State {
        &mut self.state
    }
}
