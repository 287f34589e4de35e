//! What a machine has calls for.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::thread::{Gid, Uid, set_thread_gid, set_thread_uid};

use super::Tried;

/// How long the other side may take to accept.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn connect(addr: SocketAddr) -> Tried {
    TcpStream::connect_timeout(&addr, PATIENCE).map_err(|error| error.to_string())?;
    Ok(format!("{addr} accepted a connection"))
}

/// The calls are of one thread, which then ends: what it gains, no later deed has.
pub(super) fn gain_privileges() -> Tried {
    let thread = thread::Builder::new().spawn(gain).map_err(|error| error.to_string())?;
    thread.join().unwrap_or_else(|_| Err("the thread that tried it failed".into()))
}

fn gain() -> Tried {
    let mut gained = Vec::new();
    if set_thread_uid(Uid::ROOT).is_ok() {
        gained.push("it is user 0".to_owned());
    }
    if set_thread_gid(Gid::ROOT).is_ok() {
        gained.push("it is group 0".to_owned());
    }
    let status = fs::read_to_string("/proc/thread-self/status").map_err(|error| error.to_string())?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
    let capabilities = field("CapEff:");
    if capabilities.bytes().any(|digit| digit != b'0') {
        gained.push(format!("it has the capabilities {capabilities}"));
    }
    if field("NoNewPrivs:") == "0" {
        gained.push("a program that it runs may have more".to_owned());
    }
    if gained.is_empty() {
        return Err("not user 0, not group 0, no capabilities, and no program that it runs may have more".into());
    }
    Ok(gained.join(", "))
}
