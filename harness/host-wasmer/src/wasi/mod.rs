//! The host side of what components import: one table of functions by interface and name, and one of resources.
//!
//! An interface's file holds its types, its resources and its lines of the table. To add an interface: a file here and a
//! line in [`table`].

mod cli;
mod clocks;
mod config;
mod filesystem;
pub mod http;
pub mod io;
mod keyvalue;
mod random;
mod sockets;
mod table;

pub use table::{Caller, HostFunction, Table, canonical, is_out_of_reach, is_provided, resolve, table};

use crate::abi::Resource;

/// Declares every type of resource, with its name in WIT.
macro_rules! resources {
    ($($name:ident: $type:ty = $wit:literal,)+) => {
        /// What a handle is on.
        #[derive(Debug)]
        pub enum Entry { $(
            #[doc = concat!("`", $wit, "`")]
            $name($type),
        )+ }

        $(impl Resource for $type {
            type Entry = Entry;

            const NAME: &'static str = $wit;

            fn wrap(self) -> Entry {
                Entry::$name(self)
            }

            #[allow(irrefutable_let_patterns, reason = "as many types as there are")]
            fn unwrap(entry: Entry) -> Option<Self> {
                if let Entry::$name(value) = entry { Some(value) } else { None }
            }

            fn look(entry: &Entry) -> Option<&Self> {
                if let Entry::$name(value) = entry { Some(value) } else { None }
            }

            fn look_mut(entry: &mut Entry) -> Option<&mut Self> {
                if let Entry::$name(value) = entry { Some(value) } else { None }
            }
        })+
    };
}

resources! {
    IoError: io::IoError = "error",
    Pollable: io::Pollable = "pollable",
    InputStream: io::InputStream = "input-stream",
    OutputStream: io::OutputStream = "output-stream",
    TerminalInput: cli::TerminalInput = "terminal-input",
    TerminalOutput: cli::TerminalOutput = "terminal-output",
    Descriptor: filesystem::Descriptor = "descriptor",
    DirectoryEntryStream: filesystem::DirectoryEntryStream = "directory-entry-stream",
    Fields: http::Fields = "fields",
    IncomingRequest: http::IncomingRequest = "incoming-request",
    IncomingBody: http::IncomingBody = "incoming-body",
    IncomingResponse: http::IncomingResponse = "incoming-response",
    FutureTrailers: http::FutureTrailers = "future-trailers",
    FutureIncomingResponse: http::FutureIncomingResponse = "future-incoming-response",
    OutgoingRequest: http::OutgoingRequest = "outgoing-request",
    OutgoingResponse: http::OutgoingResponse = "outgoing-response",
    OutgoingBody: http::OutgoingBody = "outgoing-body",
    RequestOptions: http::RequestOptions = "request-options",
    ResponseOutparam: http::ResponseOutparam = "response-outparam",
    Bucket: keyvalue::Bucket = "bucket",
    Cas: tare_host::values::Cas = "cas",
    Network: sockets::Network = "network",
    TcpSocket: sockets::TcpSocket = "tcp-socket",
    UdpSocket: sockets::UdpSocket = "udp-socket",
    IncomingDatagramStream: sockets::IncomingDatagramStream = "incoming-datagram-stream",
    OutgoingDatagramStream: sockets::OutgoingDatagramStream = "outgoing-datagram-stream",
    ResolveAddressStream: sockets::ResolveAddressStream = "resolve-address-stream",
}
