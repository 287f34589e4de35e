//! `wasi:io`: errors, pollables, streams.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use tare_host::log::{GuestLines, LINE};

use super::Entry;
use super::http::{ErrorCode, IncomingBody, Received};
use super::table::{Interface, Table};
use crate::abi::{Borrow, Own, Trap, variant};
use crate::pipe::Writer;
use crate::state::State;

/// How much one write may carry, in bytes: what the other host's streams allow.
const WRITE: u64 = 1024 * 1024;

/// How much a blocking write may carry, in bytes, by the interface's own words.
const BLOCKING_WRITE: usize = 4096;

/// The most that one read returns, in bytes, however much is asked for.
const READ: u64 = 1024 * 1024;

/// What went wrong with a stream.
#[derive(Debug)]
pub struct IoError {
    text: String,
    code: Option<ErrorCode>,
}

impl IoError {
    /// An error in words.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: None }
    }

    /// An error of HTTP.
    pub fn of_http(code: ErrorCode) -> Self {
        Self { text: format!("{code:?}"), code: Some(code) }
    }

    /// The error of HTTP that it is, if it is one.
    pub fn code(&self) -> Option<&ErrorCode> {
        self.code.as_ref()
    }
}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

variant! {
    /// Why an operation on a stream did not happen.
    pub enum StreamError {
        /// The error says why.
        LastOperationFailed(Own<IoError>),
        /// The stream is at its end.
        Closed,
    }
}

/// Something that an instance can wait for.
#[derive(Debug)]
pub enum Pollable {
    /// It has happened already.
    Now,
    /// A moment.
    At(Instant),
    /// A stream with this handle has something to read.
    Input(u32),
    /// A stream with this handle has room to write.
    Output(u32),
    /// The trailers with this handle are there.
    Trailers(u32),
}

/// What can be read.
#[derive(Debug)]
pub enum InputStream {
    /// The body of a request, lent from its handle.
    Body {
        /// What is received.
        received: Received,
        /// The handle of the body.
        body: Borrow<IncomingBody>,
    },
    /// Nothing: the standard input.
    Empty,
}

/// What can be written.
#[derive(Debug)]
pub enum OutputStream {
    /// The log.
    Log(GuestLines),
    /// The body of an answer.
    Body(BodySink),
}

/// The body of an answer as a stream: what is written is counted, since its length may have been promised.
#[derive(Debug)]
pub struct BodySink {
    /// Where it goes. `None` if it has no reader.
    pub writer: Option<Arc<Writer>>,
    /// Bytes written.
    pub written: Arc<AtomicU64>,
    /// Bytes promised.
    pub promised: Option<u64>,
}

impl InputStream {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Body { received, .. } => received.poll_ready(cx),
            Self::Empty => Poll::Ready(()),
        }
    }
}

impl OutputStream {
    fn is_closed(&self) -> bool {
        match self {
            Self::Body(BodySink { writer: Some(writer), .. }) => writer.is_closed(),
            Self::Body(_) | Self::Log(_) => false,
        }
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Body(BodySink { writer: Some(writer), .. }) => writer.poll_room(cx),
            Self::Body(_) | Self::Log(_) => Poll::Ready(()),
        }
    }

    /// How much may be written now.
    fn room(&self) -> u64 {
        let limit = if matches!(self, Self::Log(_)) { LINE as u64 } else { WRITE };
        match self.poll_ready(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(()) => limit,
            Poll::Pending => 0,
        }
    }

    fn write(&mut self, bytes: Bytes) -> Result<(), ErrorCode> {
        match self {
            Self::Log(lines) => lines.take(&bytes),
            Self::Body(BodySink { writer, written, promised }) => {
                let length = bytes.len() as u64;
                let total = written.fetch_add(length, Ordering::Relaxed) + length;
                if let Some(writer) = writer {
                    writer.write(bytes);
                }
                if promised.is_some_and(|promised| total > promised) {
                    return Err(ErrorCode::HttpResponseBodySize(Some(total)));
                }
            }
        }
        Ok(())
    }
}

impl State {
    /// Hands out the error of a stream.
    fn failed(&mut self, code: ErrorCode) -> Result<StreamError, Trap> {
        Ok(StreamError::LastOperationFailed(self.handles.push(IoError::of_http(code))?))
    }

    /// Whether what a pollable stands for has happened.
    fn poll_pollable(&mut self, pollable: Borrow<Pollable>, cx: &mut Context<'_>) -> Result<Poll<()>, Trap> {
        let (kind, parent) = match self.handles.get(pollable)? {
            Pollable::Now => return Ok(Poll::Ready(())),
            Pollable::At(at) if Instant::now() >= *at => return Ok(Poll::Ready(())),
            // Who waits sets a timer.
            Pollable::At(_) => return Ok(Poll::Pending),
            Pollable::Input(stream) | Pollable::Output(stream) => ("stream", *stream),
            Pollable::Trailers(trailers) => ("trailers", *trailers),
        };
        match self.handles.entry_mut(parent) {
            Some(Entry::InputStream(stream)) => Ok(stream.poll_ready(cx)),
            Some(Entry::OutputStream(stream)) => Ok(stream.poll_ready(cx)),
            Some(Entry::FutureTrailers(trailers)) => Ok(trailers.poll_ready(cx)),
            // It could not be dropped while the pollable was there.
            _ => Err(Trap::misuse(format!("the {kind} of pollable {} is gone", pollable.index()))),
        }
    }

    /// The moment that a pollable stands for, if it stands for one.
    fn moment(&self, pollable: Borrow<Pollable>) -> Result<Option<Instant>, Trap> {
        Ok(match self.handles.get(pollable)? {
            Pollable::At(at) => Some(*at),
            _ => None,
        })
    }

    /// Reads at most `length` bytes. Returns no bytes if none are there yet.
    fn read(&mut self, stream: Borrow<InputStream>, length: u64) -> Result<Result<Bytes, StreamError>, Trap> {
        let length = usize::try_from(length.min(READ)).unwrap_or(usize::MAX);
        let read = match self.handles.get_mut(stream)? {
            InputStream::Empty => return Ok(Err(StreamError::Closed)),
            InputStream::Body { received, .. } => received.read(length),
        };
        Ok(match read {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(StreamError::Closed),
            Err(code) => Err(self.failed(code)?),
        })
    }

    fn wait_to_read(&mut self, stream: Borrow<InputStream>) -> Result<(), Trap> {
        self.wait(None, |state, cx| Ok(state.handles.get_mut(stream)?.poll_ready(cx)))
    }

    fn wait_to_write(&mut self, stream: Borrow<OutputStream>) -> Result<(), Trap> {
        self.wait(None, |state, cx| Ok(state.handles.get(stream)?.poll_ready(cx)))
    }

    fn write(&mut self, stream: Borrow<OutputStream>, bytes: Bytes) -> Result<Result<(), StreamError>, Trap> {
        let output = self.handles.get_mut(stream)?;
        if output.is_closed() {
            return Ok(Err(StreamError::Closed));
        }
        if bytes.len() as u64 > output.room() {
            return Err(Trap::misuse("more is written than `check-write` allowed"));
        }
        match output.write(bytes) {
            Ok(()) => Ok(Ok(())),
            Err(code) => Ok(Err(self.failed(code)?)),
        }
    }

    fn write_and_flush(&mut self, stream: Borrow<OutputStream>, bytes: Bytes) -> Result<Result<(), StreamError>, Trap> {
        if bytes.len() > BLOCKING_WRITE {
            return Err(Trap::misuse(format!("a blocking write carries at most {BLOCKING_WRITE} bytes")));
        }
        self.wait_to_write(stream)?;
        let written = self.write(stream, bytes)?;
        if written.is_ok() {
            self.wait_to_write(stream)?;
        }
        Ok(written)
    }

    fn splice(
        &mut self,
        to: Borrow<OutputStream>,
        from: Borrow<InputStream>,
        length: u64,
    ) -> Result<Result<u64, StreamError>, Trap> {
        let room = self.handles.get(to)?.room();
        let bytes = match self.read(from, length.min(room))? {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(error)),
        };
        let length = bytes.len() as u64;
        Ok(self.write(to, bytes)?.map(|()| length))
    }
}

fn flush(state: &mut State, (stream,): (Borrow<OutputStream>,)) -> Result<Result<(), StreamError>, Trap> {
    Ok(if state.handles.get(stream)?.is_closed() { Err(StreamError::Closed) } else { Ok(()) })
}

/// Adds the interfaces.
pub fn add(table: &mut Table) {
    Interface::new("wasi:io/error@0.2", table)
        .resource::<IoError>()
        .function("[method]error.to-debug-string", |state, (error,)| {
            Ok(state.handles.get::<IoError>(error)?.to_string())
        });
    Interface::new("wasi:io/poll@0.2", table)
        .resource::<Pollable>()
        .function("[method]pollable.ready", |state, (pollable,)| {
            let mut cx = Context::from_waker(std::task::Waker::noop());
            Ok(state.poll_pollable(pollable, &mut cx)?.is_ready())
        })
        .function("[method]pollable.block", |state, (pollable,)| {
            let until = state.moment(pollable)?;
            state.wait(until, |state, cx| state.poll_pollable(pollable, cx))
        })
        .function("poll", poll);
    add_input(Interface::new("wasi:io/streams@0.2", table));
    add_output(Interface::new("wasi:io/streams@0.2", table));
}

fn poll(state: &mut State, (pollables,): (Vec<Borrow<Pollable>>,)) -> Result<Vec<u32>, Trap> {
    if pollables.is_empty() {
        return Err(Trap::misuse("there is nothing to poll"));
    }
    let mut until = None;
    for pollable in &pollables {
        let moment = state.moment(*pollable)?;
        until = [until, moment].into_iter().flatten().min();
    }
    state.wait(until, |state, cx| {
        let mut ready = Vec::new();
        for (pollable, index) in pollables.iter().zip(0..) {
            if state.poll_pollable(*pollable, cx)?.is_ready() {
                ready.push(index);
            }
        }
        Ok(if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) })
    })
}

fn add_input(mut streams: Interface<'_>) {
    streams
        .resource_with(|state, stream: InputStream| {
            if let InputStream::Body { received, body } = stream
                && let Ok(body) = state.handles.get_mut(body)
            {
                body.give_back(received);
            }
        })
        .function("[method]input-stream.read", |state, (stream, length)| state.read(stream, length))
        .function("[method]input-stream.blocking-read", |state, (stream, length)| {
            state.wait_to_read(stream)?;
            state.read(stream, length)
        })
        .function("[method]input-stream.skip", |state, (stream, length)| {
            Ok(state.read(stream, length)?.map(|bytes| bytes.len() as u64))
        })
        .function("[method]input-stream.blocking-skip", |state, (stream, length)| {
            state.wait_to_read(stream)?;
            Ok(state.read(stream, length)?.map(|bytes| bytes.len() as u64))
        })
        .function("[method]input-stream.subscribe", |state, (stream,): (Borrow<InputStream>,)| {
            state.handles.push_child(Pollable::Input(stream.index()), stream)
        });
}

fn add_output(mut streams: Interface<'_>) {
    streams
        .resource::<OutputStream>()
        .function("[method]output-stream.check-write", |state, (stream,): (Borrow<OutputStream>,)| {
            let stream = state.handles.get(stream)?;
            Ok(if stream.is_closed() { Err(StreamError::Closed) } else { Ok(stream.room()) })
        })
        .function("[method]output-stream.write", |state, (stream, bytes)| state.write(stream, bytes))
        .function("[method]output-stream.blocking-write-and-flush", |state, (stream, bytes)| {
            state.write_and_flush(stream, bytes)
        })
        .function("[method]output-stream.flush", flush)
        .function("[method]output-stream.blocking-flush", |state, (stream,)| {
            state.wait_to_write(stream)?;
            flush(state, (stream,))
        })
        .function("[method]output-stream.subscribe", |state, (stream,): (Borrow<OutputStream>,)| {
            state.handles.push_child(Pollable::Output(stream.index()), stream)
        })
        .function("[method]output-stream.write-zeroes", |state, (stream, length)| {
            let zeroes = zeroes(length, WRITE)?;
            state.write(stream, zeroes)
        })
        .function("[method]output-stream.blocking-write-zeroes-and-flush", |state, (stream, length)| {
            let zeroes = zeroes(length, BLOCKING_WRITE as u64)?;
            state.write_and_flush(stream, zeroes)
        })
        .function("[method]output-stream.splice", |state, (to, from, length)| state.splice(to, from, length))
        .function("[method]output-stream.blocking-splice", |state, (to, from, length)| {
            state.wait_to_write(to)?;
            state.wait_to_read(from)?;
            state.splice(to, from, length)
        });
}

fn zeroes(length: u64, most: u64) -> Result<Bytes, Trap> {
    if length > most {
        return Err(Trap::misuse(format!("{length} zeroes are written, and {most} may be")));
    }
    let length = usize::try_from(length).map_err(|_| Trap::misuse("too many zeroes are written"))?;
    Ok(Bytes::from(vec![0; length]))
}
