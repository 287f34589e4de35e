//! `wasi:sockets`: there are none. Whoever asks for one is told that access is denied, so that a component which only imports
//! them runs; what it could do with a socket it cannot come to do.

use super::table::{Interface, Table};
use crate::abi::{Borrow, Own, variant};

/// A network, which leads nowhere.
#[derive(Debug)]
pub struct Network;

/// A socket of TCP; there is none.
#[derive(Debug)]
pub enum TcpSocket {}

/// A socket of UDP; there is none.
#[derive(Debug)]
pub enum UdpSocket {}

/// What a socket of UDP receives; there is none.
#[derive(Debug)]
pub enum IncomingDatagramStream {}

/// What a socket of UDP sends; there is none.
#[derive(Debug)]
pub enum OutgoingDatagramStream {}

/// The addresses of a name; there are none.
#[derive(Debug)]
pub enum ResolveAddressStream {}

variant! {
    /// A version of the Internet Protocol.
    pub enum IpAddressFamily {
        /// Version 4.
        Ipv4,
        /// Version 6.
        Ipv6,
    }
}

variant! {
    /// Why there is no socket: the first of the interface's cases. The others do not occur.
    pub enum SocketError {
        /// Anything.
        Unknown,
        /// It was not granted.
        AccessDenied,
    }
}

/// Whether a function works on what nobody has, so that it can only be called with a handle that is not there.
pub fn is_out_of_reach(interface: &str, name: &str) -> bool {
    interface.starts_with("wasi:sockets/") && name.starts_with("[method]")
}

/// Adds the interfaces.
pub fn add(table: &mut Table) {
    Interface::new("wasi:sockets/network@0.2", table).resource::<Network>();
    Interface::new("wasi:sockets/instance-network@0.2", table)
        .function("instance-network", |state, ()| state.handles.push(Network));
    Interface::new("wasi:sockets/tcp@0.2", table).resource::<TcpSocket>();
    Interface::new("wasi:sockets/tcp-create-socket@0.2", table)
        .function("create-tcp-socket", |_, (_,): (IpAddressFamily,)| {
            Ok(Err::<Own<TcpSocket>, _>(SocketError::AccessDenied))
        });
    Interface::new("wasi:sockets/udp@0.2", table)
        .resource::<UdpSocket>()
        .resource::<IncomingDatagramStream>()
        .resource::<OutgoingDatagramStream>();
    Interface::new("wasi:sockets/udp-create-socket@0.2", table)
        .function("create-udp-socket", |_, (_,): (IpAddressFamily,)| {
            Ok(Err::<Own<UdpSocket>, _>(SocketError::AccessDenied))
        });
    Interface::new("wasi:sockets/ip-name-lookup@0.2", table).resource::<ResolveAddressStream>().function(
        "resolve-addresses",
        |state, (network, _): (Borrow<Network>, String)| {
            state.handles.get(network)?;
            Ok(Err::<Own<ResolveAddressStream>, _>(SocketError::AccessDenied))
        },
    );
}
