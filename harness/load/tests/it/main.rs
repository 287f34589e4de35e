//! The load generator against real sockets, most of them badly behaved.

mod answers;
mod faults;
mod framing;
mod loops;
mod null;
mod server;

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tare_load::{Expect, Mix, Mode, Outcome, Parts, Request, Settings, run};

/// A closed loop over two connections for a fifth of a second, to be changed by each test as it needs.
fn settings(addr: SocketAddr) -> Settings {
    Settings {
        addr,
        connections: 2,
        duration: Duration::from_millis(200),
        timeout: Duration::from_secs(10),
        seed: 1,
        mode: Mode::Closed,
        cpus: Vec::new(),
    }
}

/// One GET that expects status 200 and `ok` in the body.
fn mix() -> Mix {
    mix_of("GET", "/${unique}", Expect { status: 200, contains: vec![b"ok".to_vec()] })
}

fn mix_of(method: &str, path: &str, expect: Expect) -> Mix {
    let parts = Parts { name: "probe", method, path, expect, ..Parts::default() };
    Mix::new([(Request::new(&parts).expect("valid parts"), 1)]).expect("a weight")
}

fn load(settings: &Settings) -> Outcome {
    run(settings, &mix(), &AtomicBool::new(false)).expect("the load begins")
}
