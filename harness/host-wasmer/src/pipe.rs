//! The body of an answer, from the thread that runs an instance to the task that writes to the connection.
//!
//! Chunks gather until they are read, so a short answer crosses threads once, whole.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// How much may wait to be read, in bytes, before the writer has to wait.
const BUFFER: usize = 256 * 1024;

/// How a body ends.
#[derive(Debug, Clone)]
enum End {
    /// All of it is there, perhaps with trailers behind it.
    Finished(Option<HeaderMap>),
    /// The rest will not come.
    Broken,
}

#[derive(Debug, Default)]
struct Inner {
    chunks: VecDeque<Bytes>,
    waiting: usize,
    end: Option<End>,
    reader_gone: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The writing end. Dropped without [`Writer::finish`], it breaks the body.
#[derive(Debug)]
pub struct Writer(Arc<Mutex<Inner>>);

/// The reading end.
#[derive(Debug)]
pub struct Reader(Arc<Mutex<Inner>>);

/// What is left of a body was not written.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
pub struct BrokenOff;

/// Makes a pipe.
pub fn pipe() -> (Writer, Reader) {
    let inner = Arc::default();
    (Writer(Arc::clone(&inner)), Reader(inner))
}

fn lock(inner: &Arc<Mutex<Inner>>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    /// Writes a chunk, whether there is room or not; asking first is the caller's part.
    pub fn write(&self, chunk: Bytes) {
        let mut inner = lock(&self.0);
        if chunk.is_empty() || inner.reader_gone {
            return;
        }
        inner.waiting += chunk.len();
        inner.chunks.push_back(chunk);
        wake(inner.reader.take());
    }

    /// Whether the reader is gone, so that what is written is lost.
    pub fn is_closed(&self) -> bool {
        lock(&self.0).reader_gone
    }

    /// Waits for room.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.0);
        if inner.reader_gone || inner.waiting < BUFFER {
            return Poll::Ready(());
        }
        inner.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ends the body.
    pub fn finish(self, trailers: Option<HeaderMap>) {
        self.end(End::Finished(trailers));
    }

    fn end(&self, end: End) {
        let mut inner = lock(&self.0);
        inner.end.get_or_insert(end);
        wake(inner.reader.take());
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end(End::Broken);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Body for Reader {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let mut inner = lock(&self.0);
        if let Some(chunk) = inner.chunks.pop_front() {
            inner.waiting -= chunk.len();
            wake(inner.writer.take());
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        match &mut inner.end {
            Some(End::Finished(trailers)) => Poll::Ready(trailers.take().map(|trailers| Ok(Frame::trailers(trailers)))),
            Some(End::Broken) => Poll::Ready(Some(Err(BrokenOff))),
            None => {
                inner.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let inner = lock(&self.0);
        inner.chunks.is_empty() && matches!(inner.end, Some(End::Finished(None)))
    }

    fn size_hint(&self) -> SizeHint {
        let inner = lock(&self.0);
        match inner.end {
            Some(End::Finished(None)) => SizeHint::with_exact(inner.waiting as u64),
            _ => SizeHint::default(),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut inner = lock(&self.0);
        inner.reader_gone = true;
        inner.chunks.clear();
        wake(inner.writer.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &mut Reader) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        Pin::new(reader).poll_frame(&mut Context::from_waker(Waker::noop()))
    }

    fn data(reader: &mut Reader) -> Bytes {
        let Poll::Ready(Some(Ok(frame))) = read(reader) else { panic!("there is data") };
        frame.into_data().unwrap()
    }

    #[test]
    fn chunks_come_in_order_and_then_the_end() {
        let (writer, mut reader) = pipe();
        assert!(read(&mut reader).is_pending());
        writer.write(Bytes::from_static(b"one"));
        writer.write(Bytes::new());
        writer.write(Bytes::from_static(b"two"));
        assert_eq!(reader.size_hint().exact(), None, "more may come");
        writer.finish(None);
        assert_eq!(reader.size_hint().exact(), Some(6));
        assert_eq!(data(&mut reader), "one");
        assert!(!reader.is_end_stream());
        assert_eq!(data(&mut reader), "two");
        assert!(reader.is_end_stream());
        assert!(matches!(read(&mut reader), Poll::Ready(None)));
    }

    #[test]
    fn trailers_come_last_and_a_dropped_writer_breaks_the_body() {
        let (writer, mut reader) = pipe();
        writer.finish(Some(HeaderMap::new()));
        assert!(!reader.is_end_stream());
        assert!(matches!(read(&mut reader), Poll::Ready(Some(Ok(frame))) if frame.is_trailers()));
        assert!(matches!(read(&mut reader), Poll::Ready(None)));
        let (writer, mut reader) = pipe();
        writer.write(Bytes::from_static(b"half"));
        drop(writer);
        assert_eq!(data(&mut reader), "half");
        assert!(matches!(read(&mut reader), Poll::Ready(Some(Err(BrokenOff)))));
    }

    #[test]
    fn a_full_pipe_makes_the_writer_wait_until_somebody_reads_or_leaves() {
        let mut cx = Context::from_waker(Waker::noop());
        let (writer, mut reader) = pipe();
        assert!(writer.poll_room(&mut cx).is_ready());
        writer.write(Bytes::from(vec![0; BUFFER]));
        assert!(writer.poll_room(&mut cx).is_pending());
        data(&mut reader);
        assert!(writer.poll_room(&mut cx).is_ready());
        writer.write(Bytes::from(vec![0; BUFFER]));
        drop(reader);
        assert!(writer.poll_room(&mut cx).is_ready());
        assert!(writer.is_closed());
    }
}
