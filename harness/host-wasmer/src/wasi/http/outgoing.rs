//! Answers that go out, and requests that would like to.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;
use http::uri::{Authority, PathAndQuery, Scheme as UriScheme};

use super::{ErrorCode, Fields, IncomingBody, Method, Scheme, TYPES};
use crate::abi::{Borrow, Own, Trap};
use crate::pipe::{Reader, Writer, pipe};
use crate::reply::{Reply, empty};
use crate::state::State;
use crate::wasi::io::{BodySink, OutputStream, Pollable};
use crate::wasi::table::{Interface, Table};

/// The longest method or authority, in bytes: as long as a path may be.
const TEXT: usize = 65_534;

/// An answer.
#[derive(Debug)]
pub struct OutgoingResponse {
    status: StatusCode,
    headers: Fields,
    body: BodySlot,
}

/// The reading end of a body, once its handle was given out.
#[derive(Debug, Default)]
struct BodySlot {
    given: bool,
    reader: Option<Reader>,
}

/// The body of an answer, or of a request that will not be sent.
#[derive(Debug)]
pub struct OutgoingBody {
    writer: Option<Arc<Writer>>,
    written: Arc<AtomicU64>,
    promised: Option<u64>,
    streamed: bool,
}

/// Where the answer to the request goes.
#[derive(Debug)]
pub struct ResponseOutparam(pub Arc<Reply>);

/// A request to somewhere else. Components of this host have no network, so it is refused when it is to be sent.
#[derive(Debug)]
pub struct OutgoingRequest {
    method: Method,
    path_with_query: Option<String>,
    scheme: Option<Scheme>,
    authority: Option<String>,
    headers: Fields,
    body_given: bool,
}

/// The response to a request to another server: why it was not sent.
#[derive(Debug)]
pub struct FutureIncomingResponse(Option<ErrorCode>);

/// A response from another server. No value exists: no request is sent.
#[derive(Debug)]
pub enum IncomingResponse {}

/// How long to wait for somewhere else, in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestOptions {
    connect: Option<u64>,
    first_byte: Option<u64>,
    between_bytes: Option<u64>,
}

impl OutgoingBody {
    /// A body and what reads it.
    fn new(headers: &Fields) -> (Self, Reader) {
        let (writer, reader) = pipe();
        let promised = headers.content_length();
        (Self { writer: Some(Arc::new(writer)), written: Arc::default(), promised, streamed: false }, reader)
    }

    /// A body without a reader.
    fn unread(headers: &Fields) -> Self {
        Self { writer: None, written: Arc::default(), promised: headers.content_length(), streamed: false }
    }

    fn stream(&mut self) -> Option<OutputStream> {
        if std::mem::replace(&mut self.streamed, true) {
            return None;
        }
        let (writer, written) = (self.writer.clone(), Arc::clone(&self.written));
        Some(OutputStream::Body(BodySink { writer, written, promised: self.promised }))
    }

    /// Ends it as a whole one, unless another length was promised.
    fn finish(self, trailers: Option<Fields>) -> Result<(), ErrorCode> {
        let written = self.written.load(Ordering::Relaxed);
        if self.promised.is_some_and(|promised| promised != written) {
            return Err(ErrorCode::HttpResponseBodySize(Some(written)));
        }
        // Its stream depends on it and is gone.
        if let Some(writer) = self.writer.and_then(Arc::into_inner) {
            writer.finish(trailers.map(Fields::into_map));
        }
        Ok(())
    }
}

impl OutgoingResponse {
    fn into_response(self) -> crate::reply::GuestResponse {
        let mut response = empty(self.status);
        *response.headers_mut() = self.headers.into_map();
        *response.body_mut() = self.body.reader;
        response
    }
}

/// Adds the interfaces.
pub fn add(table: &mut Table) {
    add_responses(Interface::new(TYPES, table));
    add_bodies(Interface::new(TYPES, table));
    add_requests(Interface::new(TYPES, table));
    add_targets(Interface::new(TYPES, table));
    add_options(Interface::new(TYPES, table));
    add_answers(Interface::new(TYPES, table));
    Interface::new("wasi:http/outgoing-handler@0.2", table).function("handle", handle);
}

fn add_responses(mut types: Interface<'_>) {
    types
        .resource::<OutgoingResponse>()
        .function("[constructor]outgoing-response", |state, (headers,)| {
            let headers = state.handles.take::<Fields>(headers)?.frozen();
            state.handles.push(OutgoingResponse { status: StatusCode::OK, headers, body: BodySlot::default() })
        })
        .function("[method]outgoing-response.status-code", |state, (response,): (Borrow<OutgoingResponse>,)| {
            Ok(state.handles.get(response)?.status.as_u16())
        })
        .function(
            "[method]outgoing-response.set-status-code",
            |state, (response, status): (Borrow<OutgoingResponse>, u16)| {
                let response = state.handles.get_mut(response)?;
                Ok(StatusCode::from_u16(status).map(|status| response.status = status).map_err(drop))
            },
        )
        .function("[method]outgoing-response.headers", |state, (response,): (Borrow<OutgoingResponse>,)| {
            let headers = state.handles.get(response)?.headers.clone();
            state.handles.push(headers)
        })
        .function("[method]outgoing-response.body", |state, (response,): (Borrow<OutgoingResponse>,)| {
            let response = state.handles.get_mut(response)?;
            if std::mem::replace(&mut response.body.given, true) {
                return Ok(Err(()));
            }
            let (body, reader) = OutgoingBody::new(&response.headers);
            response.body.reader = Some(reader);
            Ok(Ok(state.handles.push(body)?))
        })
        .resource::<ResponseOutparam>()
        .function("[static]response-outparam.set", set);
}

fn set(
    state: &mut State,
    (outparam, response): (Own<ResponseOutparam>, Result<Own<OutgoingResponse>, ErrorCode>),
) -> Result<(), Trap> {
    let answer = match response {
        Ok(response) => Ok(state.handles.take(response)?.into_response()),
        Err(code) => Err(format!("{code:?}")),
    };
    state.handles.take(outparam)?.0.set(answer);
    Ok(())
}

fn add_bodies(mut types: Interface<'_>) {
    types
        .resource::<OutgoingBody>()
        .function("[method]outgoing-body.write", |state, (body,): (Borrow<OutgoingBody>,)| {
            match state.handles.get_mut(body)?.stream() {
                Some(stream) => Ok(Ok(state.handles.push_child(stream, body)?)),
                None => Ok(Err(())),
            }
        })
        .function(
            "[static]outgoing-body.finish",
            |state, (body, trailers): (Own<OutgoingBody>, Option<Own<Fields>>)| {
                let body = state.handles.take(body)?;
                let trailers = trailers.map(|trailers| state.handles.take(trailers)).transpose()?;
                Ok(body.finish(trailers))
            },
        );
}

fn add_requests(mut types: Interface<'_>) {
    types
        .resource::<OutgoingRequest>()
        .function("[constructor]outgoing-request", |state, (headers,)| {
            let headers = state.handles.take::<Fields>(headers)?.frozen();
            state.handles.push(OutgoingRequest {
                method: Method::Get,
                path_with_query: None,
                scheme: None,
                authority: None,
                headers,
                body_given: false,
            })
        })
        .function("[method]outgoing-request.headers", |state, (request,): (Borrow<OutgoingRequest>,)| {
            let headers = state.handles.get(request)?.headers.clone();
            state.handles.push(headers)
        })
        .function("[method]outgoing-request.body", |state, (request,): (Borrow<OutgoingRequest>,)| {
            let request = state.handles.get_mut(request)?;
            if std::mem::replace(&mut request.body_given, true) {
                return Ok(Err(()));
            }
            let body = OutgoingBody::unread(&request.headers);
            Ok(Ok(state.handles.push(body)?))
        });
}

/// Where a request goes: what is set is checked, since a component may ask whether it is possible.
fn add_targets(mut types: Interface<'_>) {
    types
        .function("[method]outgoing-request.method", |state, (request,): (Borrow<OutgoingRequest>,)| {
            Ok(state.handles.get(request)?.method.clone())
        })
        .function(
            "[method]outgoing-request.set-method",
            |state, (request, method): (Borrow<OutgoingRequest>, Method)| {
                let request = state.handles.get_mut(request)?;
                let valid = |name: &str| name.len() <= TEXT && http::Method::from_str(name).is_ok();
                let valid = !matches!(&method, Method::Other(name) if !valid(name));
                Ok(valid.then(|| request.method = method).ok_or(()))
            },
        )
        .function("[method]outgoing-request.path-with-query", |state, (request,): (Borrow<OutgoingRequest>,)| {
            Ok(state.handles.get(request)?.path_with_query.clone())
        })
        .function(
            "[method]outgoing-request.set-path-with-query",
            |state, (request, path): (Borrow<OutgoingRequest>, Option<String>)| {
                let request = state.handles.get_mut(request)?;
                let valid = path.as_deref().is_none_or(|path| PathAndQuery::from_str(path).is_ok());
                Ok(valid.then(|| request.path_with_query = path).ok_or(()))
            },
        )
        .function("[method]outgoing-request.scheme", |state, (request,): (Borrow<OutgoingRequest>,)| {
            Ok(state.handles.get(request)?.scheme.clone())
        })
        .function(
            "[method]outgoing-request.set-scheme",
            |state, (request, scheme): (Borrow<OutgoingRequest>, Option<Scheme>)| {
                let request = state.handles.get_mut(request)?;
                let valid = !matches!(&scheme, Some(Scheme::Other(name)) if UriScheme::from_str(name).is_err());
                Ok(valid.then(|| request.scheme = scheme).ok_or(()))
            },
        )
        .function("[method]outgoing-request.authority", |state, (request,): (Borrow<OutgoingRequest>,)| {
            Ok(state.handles.get(request)?.authority.clone())
        })
        .function(
            "[method]outgoing-request.set-authority",
            |state, (request, authority): (Borrow<OutgoingRequest>, Option<String>)| {
                let request = state.handles.get_mut(request)?;
                let valid = |authority: &str| authority.len() <= TEXT && Authority::from_str(authority).is_ok();
                let valid = authority.as_deref().is_none_or(valid);
                Ok(valid.then(|| request.authority = authority).ok_or(()))
            },
        );
}

fn add_options(mut types: Interface<'_>) {
    macro_rules! option {
        ($get:literal, $set:literal, $field:ident) => {
            types
                .function($get, |state, (options,): (Borrow<RequestOptions>,)| Ok(state.handles.get(options)?.$field))
                .function($set, |state, (options, value): (Borrow<RequestOptions>, Option<u64>)| {
                    state.handles.get_mut(options)?.$field = value;
                    Ok(Ok::<(), ()>(()))
                });
        };
    }
    types
        .resource::<RequestOptions>()
        .function("[constructor]request-options", |state, ()| state.handles.push(RequestOptions::default()));
    option!("[method]request-options.connect-timeout", "[method]request-options.set-connect-timeout", connect);
    option!("[method]request-options.first-byte-timeout", "[method]request-options.set-first-byte-timeout", first_byte);
    option!(
        "[method]request-options.between-bytes-timeout",
        "[method]request-options.set-between-bytes-timeout",
        between_bytes
    );
}

fn add_answers(mut types: Interface<'_>) {
    types
        .resource::<FutureIncomingResponse>()
        .function(
            "[method]future-incoming-response.subscribe",
            |state, (future,): (Borrow<FutureIncomingResponse>,)| state.handles.push_child(Pollable::Now, future),
        )
        .function("[method]future-incoming-response.get", |state, (future,): (Borrow<FutureIncomingResponse>,)| {
            type Answer = Result<Own<IncomingResponse>, ErrorCode>;
            let refusal: Result<Answer, ()> = state.handles.get_mut(future)?.0.take().map(Err).ok_or(());
            Ok(Some(refusal))
        })
        .resource::<IncomingResponse>()
        .function("[method]incoming-response.status", |state, (response,)| -> Result<u16, _> {
            match *state.handles.get::<IncomingResponse>(response)? {}
        })
        .function("[method]incoming-response.headers", |state, (response,)| -> Result<Own<Fields>, _> {
            match *state.handles.get::<IncomingResponse>(response)? {}
        })
        .function(
            "[method]incoming-response.consume",
            |state, (response,)| -> Result<Result<Own<IncomingBody>, ()>, _> {
                match *state.handles.get::<IncomingResponse>(response)? {}
            },
        );
}

type Handled = Result<Own<FutureIncomingResponse>, ErrorCode>;

fn handle(
    state: &mut State,
    (request, options): (Own<OutgoingRequest>, Option<Own<RequestOptions>>),
) -> Result<Handled, Trap> {
    state.handles.take(request)?;
    if let Some(options) = options {
        state.handles.take(options)?;
    }
    Ok(Ok(state.handles.push(FutureIncomingResponse(Some(ErrorCode::HttpRequestDenied)))?))
}
