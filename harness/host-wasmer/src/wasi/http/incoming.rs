//! Requests that come in, and their bodies.

use std::task::{Context, Poll};

use http::request::Parts;
use http::{HeaderMap, Uri, header};

use super::received::{Received, RequestBody};
use super::{ErrorCode, Fields, Method, Scheme};
use crate::abi::{Borrow, Own, Trap};
use crate::state::State;
use crate::wasi::io::{InputStream, Pollable};
use crate::wasi::table::Interface;

/// A request.
#[derive(Debug)]
pub struct IncomingRequest {
    method: http::Method,
    uri: Uri,
    authority: String,
    headers: Fields,
    body: Option<Received>,
}

/// A request that a component cannot be given.
#[derive(Debug, thiserror::Error)]
#[error("it says neither in its target nor in its header `host` whom it is for")]
pub struct NoAuthority;

impl IncomingRequest {
    /// Takes a request from a connection.
    ///
    /// # Errors
    /// It has no authority.
    pub fn new(parts: Parts, body: RequestBody) -> Result<Self, NoAuthority> {
        let host = || parts.headers.get(header::HOST)?.to_str().ok();
        let authority = parts.uri.authority().map(http::uri::Authority::as_str).or_else(host).ok_or(NoAuthority)?;
        Ok(Self {
            authority: authority.to_owned(),
            method: parts.method,
            uri: parts.uri,
            headers: Fields::received(parts.headers),
            body: Some(Received::new(body)),
        })
    }
}

/// The body of a request. What is received of it is here or with its stream.
#[derive(Debug)]
pub struct IncomingBody {
    received: Option<Received>,
    streamed: bool,
}

impl IncomingBody {
    /// Takes back what its stream left.
    pub fn give_back(&mut self, received: Received) {
        self.received = Some(received);
    }
}

/// The trailers of a body, once all of it was received.
#[derive(Debug)]
pub enum FutureTrailers {
    /// The body may go on.
    Waiting(Received),
    /// It has ended.
    Done(Result<Option<HeaderMap>, ErrorCode>),
    /// They were given out.
    Consumed,
}

impl FutureTrailers {
    /// Waits for the end of the body.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::Waiting(received) = self {
            match received.poll_end(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(end) => *self = Self::Done(end),
            }
        }
        Poll::Ready(())
    }
}

/// Adds the resources.
pub fn add(mut types: Interface<'_>) {
    types
        .resource::<IncomingRequest>()
        .function("[method]incoming-request.method", |state, (request,): (Borrow<IncomingRequest>,)| {
            Ok(Method::from(&state.handles.get(request)?.method))
        })
        .function("[method]incoming-request.path-with-query", |state, (request,): (Borrow<IncomingRequest>,)| {
            Ok(state.handles.get(request)?.uri.path_and_query().map(|path| path.as_str().to_owned()))
        })
        .function("[method]incoming-request.scheme", |state, (request,): (Borrow<IncomingRequest>,)| {
            state.handles.get(request)?;
            Ok(Some(Scheme::Http))
        })
        .function("[method]incoming-request.authority", |state, (request,): (Borrow<IncomingRequest>,)| {
            Ok(Some(state.handles.get(request)?.authority.clone()))
        })
        .function("[method]incoming-request.headers", |state, (request,): (Borrow<IncomingRequest>,)| {
            let headers = state.handles.get(request)?.headers.clone();
            state.handles.push(headers)
        })
        .function("[method]incoming-request.consume", |state, (request,): (Borrow<IncomingRequest>,)| {
            match state.handles.get_mut(request)?.body.take() {
                Some(body) => Ok(Ok(state.handles.push(IncomingBody { received: Some(body), streamed: false })?)),
                None => Ok(Err(())),
            }
        })
        .resource::<IncomingBody>()
        .function("[method]incoming-body.stream", stream)
        .function("[static]incoming-body.finish", |state, (body,): (Own<IncomingBody>,)| {
            let trailers = match state.handles.take(body)?.received {
                Some(received) => FutureTrailers::Waiting(received),
                None => FutureTrailers::Done(Ok(None)),
            };
            state.handles.push(trailers)
        })
        .resource::<FutureTrailers>()
        .function("[method]future-trailers.subscribe", |state, (trailers,): (Borrow<FutureTrailers>,)| {
            state.handles.push_child(Pollable::Trailers(trailers.index()), trailers)
        })
        .function("[method]future-trailers.get", trailers);
}

type Streamed = Result<Own<InputStream>, ()>;

fn stream(state: &mut State, (body,): (Borrow<IncomingBody>,)) -> Result<Streamed, Trap> {
    let incoming = state.handles.get_mut(body)?;
    if std::mem::replace(&mut incoming.streamed, true) {
        return Ok(Err(()));
    }
    let Some(received) = incoming.received.take() else { return Ok(Err(())) };
    Ok(Ok(state.handles.push_child(InputStream::Body { received, body }, body)?))
}

type Trailers = Option<Result<Result<Option<Own<Fields>>, ErrorCode>, ()>>;

fn trailers(state: &mut State, (trailers,): (Borrow<FutureTrailers>,)) -> Result<Trailers, Trap> {
    let future = state.handles.get_mut(trailers)?;
    if future.poll_ready(&mut Context::from_waker(std::task::Waker::noop())).is_pending() {
        return Ok(None);
    }
    Ok(Some(match std::mem::replace(future, FutureTrailers::Consumed) {
        FutureTrailers::Waiting(_) | FutureTrailers::Consumed => Err(()),
        FutureTrailers::Done(Err(code)) => Ok(Err(code)),
        FutureTrailers::Done(Ok(None)) => Ok(Ok(None)),
        FutureTrailers::Done(Ok(Some(map))) => Ok(Ok(Some(state.handles.push(Fields::received(map))?))),
    }))
}
