//! `wasi:http`: requests in, answers out, and no way out into the network.

mod codes;
mod fields;
mod incoming;
mod outgoing;
mod received;

pub use codes::ErrorCode;
pub use fields::Fields;
pub use incoming::{FutureTrailers, IncomingBody, IncomingRequest};
pub use outgoing::{
    FutureIncomingResponse, IncomingResponse, OutgoingBody, OutgoingRequest, OutgoingResponse, RequestOptions,
    ResponseOutparam,
};
pub use received::{Received, RequestBody};

use super::table::{Interface, Table};
use crate::abi::variant;

/// The interface of the types.
const TYPES: &str = "wasi:http/types@0.2";

variant! {
    /// A method of HTTP.
    pub enum Method {
        /// GET
        Get,
        /// HEAD
        Head,
        /// POST
        Post,
        /// PUT
        Put,
        /// DELETE
        Delete,
        /// CONNECT
        Connect,
        /// OPTIONS
        Options,
        /// TRACE
        Trace,
        /// PATCH
        Patch,
        /// Any other, by its name.
        Other(String),
    }
}

variant! {
    /// A scheme of URLs.
    pub enum Scheme {
        /// http
        Http,
        /// https
        Https,
        /// Any other, by its name.
        Other(String),
    }
}

impl From<&http::Method> for Method {
    fn from(method: &http::Method) -> Self {
        match method.as_str() {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "CONNECT" => Self::Connect,
            "OPTIONS" => Self::Options,
            "TRACE" => Self::Trace,
            "PATCH" => Self::Patch,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// Adds the interfaces.
pub fn add(table: &mut Table) {
    fields::add(Interface::new(TYPES, table));
    incoming::add(Interface::new(TYPES, table));
    outgoing::add(table);
    Interface::new(TYPES, table).function("http-error-code", |state, (error,)| {
        Ok(state.handles.get::<super::io::IoError>(error)?.code().cloned())
    });
}
