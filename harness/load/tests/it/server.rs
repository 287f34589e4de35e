//! Small servers that do what a test tells them.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What a server does with a connection after a request.
pub(crate) enum Then {
    KeepOpen,
    Close,
}

/// A request as a server sees it: its number among all requests of all connections, and its path.
pub(crate) struct Asked {
    pub(crate) number: usize,
    pub(crate) path: String,
}

/// A server with a thread per connection. It ends with everything it started when it is dropped.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stopped: AtomicBool,
    accepted: AtomicUsize,
    asked: AtomicUsize,
    streams: Mutex<Vec<TcpStream>>,
}

pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

impl Server {
    /// Calls `answer` for every request.
    pub(crate) fn start(answer: impl Fn(&Asked, &mut TcpStream) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared, &answer)
        });
        Self { addr, shared, acceptor: Some(acceptor) }
    }

    /// Always answers with these bytes and keeps the connection open.
    pub(crate) fn saying(answer: &'static [u8]) -> Self {
        Self::start(move |_, stream| reply(stream, answer))
    }

    /// How many connections it has taken.
    pub(crate) fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many requests it has seen.
    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// Dies: no connection survives, and none is taken any more.
    pub(crate) fn kill(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.addr));
        for stream in self.shared.streams.lock().expect("unpoisoned").iter() {
            drop(stream.shutdown(Shutdown::Both));
        }
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().expect("the server does not panic");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn reply(stream: &mut TcpStream, answer: &[u8]) -> Then {
    match stream.write_all(answer) {
        Ok(()) => Then::KeepOpen,
        Err(_) => Then::Close,
    }
}

fn accept(listener: &TcpListener, shared: &Shared, answer: &(impl Fn(&Asked, &mut TcpStream) -> Then + Sync)) {
    thread::scope(|scope| {
        for stream in listener.incoming() {
            if shared.stopped.load(Ordering::SeqCst) {
                return;
            }
            let stream = stream.expect("a connection");
            shared.accepted.fetch_add(1, Ordering::SeqCst);
            stream.set_nodelay(true).expect("nodelay");
            shared.streams.lock().expect("unpoisoned").push(stream.try_clone().expect("a second handle"));
            scope.spawn(|| {
                // The other handle keeps the socket open, so it must be shut down and not only dropped.
                let closing = stream.try_clone();
                serve(stream, shared, answer);
                drop(closing.map(|stream| stream.shutdown(Shutdown::Both)));
            });
        }
    });
}

fn serve(mut stream: TcpStream, shared: &Shared, answer: &impl Fn(&Asked, &mut TcpStream) -> Then) {
    let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
    while let Some(Ok(first)) = lines.next() {
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let number = shared.asked.fetch_add(1, Ordering::SeqCst);
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        if let Then::Close = answer(&Asked { number, path }, &mut stream) {
            return;
        }
    }
}
