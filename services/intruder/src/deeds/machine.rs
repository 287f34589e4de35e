//! What a machine has calls for.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::thread::{Gid, Uid, set_thread_gid, set_thread_uid};
use service_kit::Problem;

use super::Tried;

/// How long the other side may take to accept.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn connect(addr: SocketAddr) -> Tried {
    TcpStream::connect_timeout(&addr, PATIENCE).map_err(|error| error.to_string())?;
    Ok(format!("{addr} accepted a connection"))
}

/// The calls are of one thread, which then ends: what it gains, no later deed has.
pub(super) fn gain_privileges() -> Result<Tried, Problem> {
    let thread = thread::Builder::new().spawn(gain).map_err(|_| Problem::internal())?;
    thread.join().unwrap_or_else(|_| Err(Problem::internal()))
}

fn gain() -> Result<Tried, Problem> {
    let status = fs::read_to_string("/proc/thread-self/status").map_err(|_| Problem::internal())?;
    let field = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name));
        value.map(str::trim).ok_or_else(Problem::internal)
    };
    let (capabilities, no_new_privileges) = (field("CapEff:")?, field("NoNewPrivs:")?);
    let mut gained = Vec::new();
    if set_thread_uid(Uid::ROOT).is_ok() {
        gained.push("it is user 0".to_owned());
    }
    if set_thread_gid(Gid::ROOT).is_ok() {
        gained.push("it is group 0".to_owned());
    }
    if capabilities.bytes().any(|digit| digit != b'0') {
        gained.push(format!("it has the capabilities {capabilities}"));
    }
    if no_new_privileges == "0" {
        gained.push("a program that it runs may have more".to_owned());
    }
    if gained.is_empty() {
        return Ok(Err("not user 0, not group 0, no capabilities, and no program that it runs may have more".into()));
    }
    Ok(Ok(gained.join(", ")))
}
