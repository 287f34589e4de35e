//! Where a foreign program listens, and how it is told.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result, ensure};

/// The variable that tells a program its port, as most platforms that run programs do.
pub const PORT: &str = "PORT";

/// The variable that tells a program its address and port, as the services of the workspace expect it.
const LISTEN_ADDR: &str = "LISTEN_ADDR";

/// Where a program is to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(pub SocketAddr);

impl Address {
    /// This machine's loopback address, at the port that the program insists on or at a free one. Nothing keeps it until the
    /// program takes it.
    ///
    /// # Errors
    /// Somebody else listens on the port: that would be measured in the program's place.
    pub fn pick(fixed: Option<u16>) -> Result<Self> {
        if let Some(port) = fixed {
            let addr: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
            let taken = TcpListener::bind(addr).is_err_and(|error| error.kind() == ErrorKind::AddrInUse);
            ensure!(!taken, "something listens on port {port} already: stop it, or let the program take `{{port}}`");
            return Ok(Self(addr));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
        Ok(Self(listener.local_addr()?))
    }

    /// A text with `{port}` and `{addr}` replaced.
    pub fn fill(self, text: &str) -> String {
        text.replace("{port}", &self.0.port().to_string()).replace("{addr}", &self.0.to_string())
    }

    /// An environment with both replaced, and with `PORT` and `LISTEN_ADDR` where it does not set them itself.
    pub fn env(self, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let told = [(PORT, "{port}"), (LISTEN_ADDR, "{addr}")].map(|(name, value)| (name.to_owned(), self.fill(value)));
        let own = env.iter().map(|(name, value)| (name.clone(), self.fill(value)));
        told.into_iter().chain(own).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_told_where_to_listen_in_its_own_way_and_in_the_usual_ones() {
        let address = Address("127.0.0.1:8080".parse().unwrap());
        assert_eq!(address.fill("--bind={addr} -p {port}"), "--bind=127.0.0.1:8080 -p 8080");
        let env = address.env(&BTreeMap::from([("PORT".into(), "x{port}".into()), ("A".into(), "b".into())]));
        let env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(env, [("A", "b"), ("LISTEN_ADDR", "127.0.0.1:8080"), ("PORT", "x8080")]);
        assert_ne!(Address::pick(None).unwrap().0.port(), 0);
    }

    #[test]
    fn a_port_on_which_somebody_else_listens_is_refused() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let error = Address::pick(Some(port)).unwrap_err().to_string();
        assert!(error.contains(&format!("port {port} already")), "{error}");
        drop(other);
        assert_eq!(Address::pick(Some(port)).unwrap().0.port(), port);
    }
}
