//! The null server, and the ceiling measured with it.

use std::net::TcpStream;
use std::sync::atomic::AtomicBool;

use tare_load::{Arrivals, Ended, Expect, Mix, Mode, NullServer, Parts, Request, ceiling};

use crate::settings;

#[test]
fn the_ceiling_is_measured_with_the_requests_of_the_load() {
    let request = |name, method, body| {
        let expect = Expect { status: 418, contains: vec![b"what a null server never says".to_vec()] };
        let path = "/${unique}";
        Request::new(&Parts { name, method, path, body, expect, ..Parts::default() }).expect("valid parts")
    };
    let large = vec![b'x'; 900_000];
    let mix = Mix::new([
        (request("read", "GET", b""), 3),
        (request("write", "POST", b"{\"id\":\"${unique}\"}"), 2),
        (request("upload", "PUT", &large), 1),
        (request("head", "HEAD", b""), 1),
    ])
    .expect("weights");
    // Mode and address are those of the load; the ceiling replaces them.
    let mut settings = settings(([127, 0, 0, 1], 1).into());
    settings.mode = Mode::Open { rate_rps: 1.0, arrivals: Arrivals::Even };
    let outcome = ceiling(&settings, &mix, &[], &AtomicBool::new(false)).expect("the load begins");
    assert_eq!((outcome.errors.total(), outcome.ended), (0, Ended::Complete), "{:?}", outcome.errors);
    assert!(outcome.right > 100);
    assert_eq!(outcome.reconnects, 0);
}

#[test]
fn it_stops_when_dropped() {
    let server = NullServer::start(&[]).expect("a server");
    let addr = server.addr();
    let idle = TcpStream::connect(addr).expect("it listens");
    drop(server);
    assert!(TcpStream::connect(addr).is_err());
    drop(idle);
}

#[test]
fn a_cpu_that_is_not_there_is_an_error() {
    let error = NullServer::start(&[1023]).err().expect("no such CPU");
    assert_eq!(
        error.to_string(),
        "cannot bind a thread to CPUs [1023]: are they online and in this process's CPU set?"
    );
}
