//! A server that costs next to nothing: what a load would reach if only the generator limited it.

use std::io::{self, ErrorKind as Io, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use httparse::Status;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::{Expect, LoadError, Request, cpu};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 32\r\n\r\n\
    {\"status\":\"ok\",\"service\":\"null\"}";
/// How many bytes of the answer are its body.
const BODY_LENGTH: usize = 32;

/// The longest request it takes, in bytes.
const MAX_REQUEST: usize = 1 << 20;

const MAX_FIELDS: usize = 64;

/// A running null server: answers every request on its keep-alive connections with the same small JSON, and stops when
/// it is dropped.
pub struct NullServer {
    addr: SocketAddr,
    stopping: Arc<AtomicBool>,
    wakers: Vec<Arc<Waker>>,
    threads: Vec<JoinHandle<()>>,
}

impl NullServer {
    /// Starts it on a free port of loopback, with one thread bound to each of the CPUs, or one that runs anywhere.
    ///
    /// # Errors
    /// [`LoadError`] if a CPU is not there, or the system refuses a port, poll or thread.
    pub fn start(cpus: &[usize]) -> Result<Self, LoadError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(LoadError::system("listen on loopback"))?;
        let addr = listener.local_addr().map_err(LoadError::system("find out the port listened on"))?;
        let mut server = Self { addr, stopping: Arc::default(), wakers: Vec::new(), threads: Vec::new() };
        let mut desks = Vec::new();
        for index in 0..cpus.len().max(1) {
            let cpus = cpus.get(index).copied().into_iter().collect();
            desks.push(server.start_thread(cpus)?);
        }
        let stopping = Arc::clone(&server.stopping);
        server.threads.push(spawn("null-accept", move || accept(&listener, &desks, &stopping))?);
        Ok(server)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What its answer to the request looks like.
    pub fn expect(request: &Request) -> Expect {
        let (_, body) = ANSWER.split_at(ANSWER.len() - BODY_LENGTH);
        let contains = if request.is_head() { Vec::new() } else { vec![body.to_vec()] };
        Expect { status: 200, contains }
    }

    fn start_thread(&mut self, cpus: Vec<usize>) -> Result<Desk, LoadError> {
        let poll = Poll::new().map_err(LoadError::system("create a poll"))?;
        let waker = Waker::new(poll.registry(), WAKE).map_err(LoadError::system("create a waker"))?;
        let waker = Arc::new(waker);
        let (sender, arrivals) = channel();
        let (pinned, pin_result) = channel();
        self.threads.push(spawn("null-server", {
            let cpus = cpus.clone();
            move || {
                let result = cpu::pin(&cpus);
                let is_pinned = result.is_ok();
                if pinned.send(result).is_ok() && is_pinned {
                    serve(poll, &arrivals);
                }
            }
        })?);
        self.wakers.push(Arc::clone(&waker));
        match pin_result.recv() {
            Ok(Err(error)) => Err(LoadError::Pin { cpus, source: error.into() }),
            _ => Ok(Desk { sender, waker }),
        }
    }
}

impl Drop for NullServer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        // A connection wakes the acceptor; it drops the desks, which wakes and ends the threads.
        drop(std::net::TcpStream::connect_timeout(&self.addr, Duration::from_secs(1)));
        for thread in self.threads.drain(..).rev() {
            for waker in &self.wakers {
                drop(waker.wake());
            }
            drop(thread.join());
        }
    }
}

const WAKE: Token = Token(usize::MAX);

/// Where a serving thread takes its connections from.
struct Desk {
    sender: Sender<std::net::TcpStream>,
    waker: Arc<Waker>,
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, LoadError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(LoadError::system("start a thread"))
}

/// Hands connections to the desks in turn.
fn accept(listener: &TcpListener, desks: &[Desk], stopping: &AtomicBool) {
    for desk in desks.iter().cycle() {
        let Ok((stream, _)) = listener.accept() else { continue };
        if stopping.load(Ordering::Relaxed) || desk.sender.send(stream).is_err() || desk.waker.wake().is_err() {
            return;
        }
    }
}

/// Serves until there is nobody left to hand connections over.
fn serve(mut poll: Poll, arrivals: &Receiver<std::net::TcpStream>) {
    let mut events = Events::with_capacity(1024);
    let mut visitors: Vec<Option<Visitor>> = Vec::new();
    loop {
        if poll.poll(&mut events, None).is_err_and(|error| error.kind() != Io::Interrupted) {
            return;
        }
        for event in &events {
            if event.token() != WAKE {
                let place = &mut visitors[event.token().0];
                if place.as_mut().is_some_and(|visitor| visitor.serve().is_err()) {
                    *place = None;
                }
                continue;
            }
            loop {
                match arrivals.try_recv() {
                    Ok(stream) => visitors.push(Visitor::new(stream, &poll, Token(visitors.len())).ok()),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
        }
    }
}

/// A client of the null server.
struct Visitor {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Visitor {
    fn new(stream: std::net::TcpStream, poll: &Poll, token: Token) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, token, Interest::READABLE)?;
        Ok(Self { stream, buffer: vec![0; 4096], filled: 0 })
    }

    /// Answers the requests that have come. An error is the end of the connection.
    fn serve(&mut self) -> io::Result<()> {
        loop {
            if self.filled == self.buffer.len() {
                if self.filled >= MAX_REQUEST {
                    return Err(Io::InvalidData.into());
                }
                self.buffer.resize(self.filled * 2, 0);
            }
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Err(Io::UnexpectedEof.into()),
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == Io::WouldBlock => return Ok(()),
                Err(error) if error.kind() == Io::Interrupted => continue,
                Err(error) => return Err(error),
            }
            let emptied = self.filled < self.buffer.len();
            self.answer()?;
            if emptied {
                return Ok(());
            }
        }
    }

    fn answer(&mut self) -> io::Result<()> {
        let mut done = 0;
        while let Some(asked) = Asked::read(&self.buffer[done..self.filled])? {
            done += asked.length;
            let answer = if asked.is_head { &ANSWER[..ANSWER.len() - BODY_LENGTH] } else { ANSWER };
            // Clients wait for an answer before they ask again, so one of a hundred bytes always finds room.
            self.stream.write_all(answer)?;
        }
        self.buffer.copy_within(done..self.filled, 0);
        self.filled -= done;
        Ok(())
    }
}

/// A request as far as it matters here.
struct Asked {
    /// The length of head and body.
    length: usize,
    is_head: bool,
}

impl Asked {
    /// The request that `received` begins with, once all of it is there.
    fn read(received: &[u8]) -> io::Result<Option<Self>> {
        if received.is_empty() {
            return Ok(None);
        }
        let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
        let mut request = httparse::Request::new(&mut []);
        let parsed = request.parse_with_uninit_headers(received, &mut fields);
        let Status::Complete(head) = parsed.map_err(|error| io::Error::new(Io::InvalidData, error))? else {
            return Ok(None);
        };
        let body = match request.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length")) {
            None => 0,
            Some(field) => std::str::from_utf8(field.value)
                .ok()
                .and_then(|value| value.trim().parse::<usize>().ok())
                .ok_or(Io::InvalidData)?,
        };
        let asked = Self { length: head.saturating_add(body), is_head: request.method == Some("HEAD") };
        Ok((asked.length <= received.len()).then_some(asked))
    }
}
