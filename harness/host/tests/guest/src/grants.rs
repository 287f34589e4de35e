//! What the component reaches of the world, if it was granted.

use std::net::TcpStream;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, IncomingRequest, Method, OutgoingBody, OutgoingRequest, Scheme};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::IpAddressFamily;
use wasip2::sockets::{tcp_create_socket, udp_create_socket};

use crate::deeds;

#[cfg(not(feature = "stock"))]
#[expect(clippy::pedantic, reason = "generated code")]
mod generated {
    wit_bindgen::generate!({ path: "../../wit/config", world: "imports" });
    pub(super) use wasi::config::store;
}

/// Sends the body of its request on to somewhere else; tells the status and the body of the answer, or why there is none.
pub(crate) fn outgoing(authority: &str, path: &str, scheme: &str, request: &IncomingRequest) -> String {
    let outgoing = OutgoingRequest::new(Fields::new());
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    outgoing.set_scheme(Some(&scheme)).expect("it is a scheme");
    outgoing.set_authority(Some(authority)).expect("it is an authority");
    outgoing.set_path_with_query(Some(path)).expect("it is a path");
    let asked = request.consume().map_err(|()| "consumed before".to_owned()).and_then(|body| deeds::all(&body));
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => return error,
    };
    if !asked.is_empty() {
        outgoing.set_method(&Method::Post).expect("it is a method");
    }
    let body = outgoing.body().expect("nobody took it before");
    let future = match outgoing_handler::handle(outgoing, None) {
        Ok(future) => future,
        Err(code) => return format!("{code:?}"),
    };
    if !asked.is_empty() {
        let stream = body.write().expect("nobody took it before");
        for piece in asked.chunks(4096) {
            if let Err(error) = stream.blocking_write_and_flush(piece) {
                return format!("{error:?}");
            }
        }
    }
    OutgoingBody::finish(body, None).expect("the body has any length");
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(answer))) => {
            let body = answer.consume().expect("nobody took it before");
            let text = deeds::all(&body).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            format!("{} {}", answer.status(), text.unwrap_or_else(|error| error))
        }
        Some(Ok(Err(code))) => format!("{code:?}"),
        other => format!("{other:?}"),
    }
}

/// Reads a file.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| format!("{:?}", error.kind()))
}

/// Writes a file.
pub(crate) fn write(path: &str, text: &str) -> String {
    std::fs::write(path, text).map_or_else(|error| format!("{:?}", error.kind()), |()| "written".to_owned())
}

/// A setting, or all of them.
#[cfg(not(feature = "stock"))]
pub(crate) fn config(name: &str) -> String {
    if name.is_empty() {
        let mut all = generated::store::get_all().expect("the host has settings");
        all.sort_unstable();
        return format!("{all:?}");
    }
    format!("{:?}", generated::store::get(name))
}

#[cfg(feature = "stock")]
pub(crate) fn config(_: &str) -> String {
    "there is none".to_owned()
}

/// What comes of asking for sockets: by the interfaces, and whether names are looked up or the standard library connects.
pub(crate) fn sockets() -> String {
    let tcp = tcp_create_socket::create_tcp_socket(IpAddressFamily::Ipv4).map(drop).map_err(|error| error.name());
    let udp = udp_create_socket::create_udp_socket(IpAddressFamily::Ipv6).map(drop).map_err(|error| error.name());
    let found = resolve_addresses(&instance_network(), "localhost").is_ok();
    let connected = TcpStream::connect("127.0.0.1:9").is_ok();
    format!("{tcp:?} {udp:?} {found} {connected}")
}
