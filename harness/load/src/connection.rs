//! One connection to the subject, and the answer that is coming in on it.

use std::io::{self, ErrorKind as Io, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::framing::{Framing, FramingError};

/// The first size of a buffer for an answer. It doubles as needed and stays large.
const FIRST_BUFFER: usize = 8 << 10;

/// A request on its way. Times are nanoseconds since the load began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flight {
    /// The place of the request in the mix.
    pub(crate) request: usize,
    /// The start of its latency.
    pub(crate) due: u64,
    pub(crate) sent: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum State {
    /// There is no connection, and none is to be opened before this time.
    Down {
        reopen_at: u64,
    },
    Opening {
        since: u64,
    },
    Idle {
        since: u64,
    },
    Busy(Flight),
}

/// The bytes of one answer.
pub(crate) struct Inbox {
    /// Its length is the room there is; zeroed once, when it grows.
    buffer: Vec<u8>,
    filled: usize,
    framing: Framing,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { buffer: vec![0; FIRST_BUFFER], filled: 0, framing: Framing::new(false) }
    }
}

impl Inbox {
    fn expect_answer(&mut self, to_head: bool) {
        self.filled = 0;
        self.framing = Framing::new(to_head);
    }

    fn received(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    pub(crate) fn status(&self) -> u16 {
        self.framing.status()
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.framing.body(self.received())
    }
}

/// What reading from a busy connection came to.
pub(crate) enum Received {
    Incomplete,
    /// The answer is whole; `reusable` tells whether the connection is good for another.
    Complete {
        reusable: bool,
    },
    /// This is no answer.
    Malformed(FramingError),
    /// There are so many bytes after the end of the answer.
    Excess(usize),
    Broken(io::Error),
}

pub(crate) struct Connection {
    pub(crate) state: State,
    /// How often in a row the connection failed without an answer in between.
    pub(crate) failures: u32,
    /// Whether it answered anything since it was opened.
    pub(crate) answered: bool,
    pub(crate) inbox: Inbox,
    stream: Option<TcpStream>,
    /// The rest of the request that the socket did not take at once, nearly always nothing.
    unsent: Vec<u8>,
}

impl Connection {
    /// A connection that is open already, for the given token.
    pub(crate) fn adopt(stream: std::net::TcpStream, registry: &Registry, token: Token) -> io::Result<Self> {
        let mut stream = TcpStream::from_std(stream);
        register(registry, &mut stream, token)?;
        Ok(Self {
            state: State::Idle { since: 0 },
            failures: 0,
            answered: false,
            inbox: Inbox::default(),
            stream: Some(stream),
            unsent: Vec::new(),
        })
    }

    /// Begins to open the connection anew.
    pub(crate) fn open(&mut self, addr: SocketAddr, registry: &Registry, token: Token, now: u64) -> io::Result<()> {
        self.close();
        self.state = State::Down { reopen_at: now };
        let mut stream = TcpStream::connect(addr)?;
        register(registry, &mut stream, token)?;
        self.stream = Some(stream);
        self.state = State::Opening { since: now };
        Ok(())
    }

    /// Tells whether the connection that is being opened is open now.
    pub(crate) fn is_open(&mut self) -> io::Result<bool> {
        let Some(stream) = &self.stream else { return Ok(false) };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => stream.set_nodelay(true).map(|()| true),
            Err(error) if error.kind() == Io::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Drops the socket, which also takes it out of the poll.
    pub(crate) fn close(&mut self) {
        self.stream = None;
        self.unsent.clear();
        self.answered = false;
    }

    /// Sends a request over the idle connection.
    pub(crate) fn send(&mut self, flight: Flight, wire: &[u8], to_head: bool) -> io::Result<()> {
        self.inbox.expect_answer(to_head);
        self.state = State::Busy(flight);
        let sent = self.write(wire)?;
        self.unsent.extend_from_slice(&wire[sent..]);
        Ok(())
    }

    /// Sends more of what the socket did not take at once.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        let unsent = std::mem::take(&mut self.unsent);
        let sent = self.write(&unsent)?;
        self.unsent.extend_from_slice(&unsent[sent..]);
        Ok(())
    }

    /// Writes until all is written or the socket takes no more; tells how much it took.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(stream) = &mut self.stream else { return Err(Io::NotConnected.into()) };
        let mut written = 0;
        while written < bytes.len() {
            match stream.write(&bytes[written..]) {
                Ok(0) => return Err(Io::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == Io::WouldBlock => break,
                Err(error) if error.kind() == Io::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    /// Reads what has come of the answer. `closed` says that the poll has seen the end of the stream, so that the bytes
    /// read are the last ones.
    pub(crate) fn receive(&mut self, closed: bool) -> Received {
        let Some(stream) = &mut self.stream else { return Received::Incomplete };
        let inbox = &mut self.inbox;
        loop {
            if inbox.filled == inbox.buffer.len() {
                inbox.buffer.resize(inbox.buffer.len() * 2, 0);
            }
            match stream.read(&mut inbox.buffer[inbox.filled..]) {
                Ok(0) => {
                    return match inbox.framing.end_of_stream(&inbox.buffer[..inbox.filled]) {
                        Ok(()) => Received::Complete { reusable: false },
                        Err(error) => Received::Broken(io::Error::new(Io::UnexpectedEof, error)),
                    };
                }
                Ok(count) => inbox.filled += count,
                Err(error) if error.kind() == Io::WouldBlock => return Received::Incomplete,
                Err(error) if error.kind() == Io::Interrupted => continue,
                Err(error) => return Received::Broken(error),
            }
            match inbox.framing.advance(&inbox.buffer[..inbox.filled]) {
                Ok(true) if inbox.filled > inbox.framing.end() => {
                    return Received::Excess(inbox.filled - inbox.framing.end());
                }
                Ok(true) => return Received::Complete { reusable: inbox.framing.keep_alive() && !closed },
                // A read that leaves room has emptied the socket, and the poll tells of more (epoll(7), question 9).
                Ok(false) if inbox.filled < inbox.buffer.len() && !closed => return Received::Incomplete,
                Ok(false) => {}
                Err(error) => return Received::Malformed(error),
            }
        }
    }

    /// Tells whether the idle connection is still good: nothing may come on it, and it must not end.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        matches!(stream.peek(&mut [0]), Err(error) if error.kind() == Io::WouldBlock)
    }
}

fn register(registry: &Registry, stream: &mut TcpStream, token: Token) -> io::Result<()> {
    // Both at once and for good: events are edge-triggered, so a writable socket does not wake anybody, and there is
    // no system call to change the interest with every request.
    registry.register(stream, token, Interest::READABLE | Interest::WRITABLE)
}
