//! Serving on a machine: a process that listens, announces its phases, and ends at once when it is told to.

mod http;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZero;
use std::os::unix::net::UnixDatagram;
use std::process::ExitCode;
use std::task::Poll;
use std::thread::available_parallelism;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use nix::errno::Errno;
use nix::time::{ClockId, clock_gettime};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

use crate::store::Memory;
use crate::{ConfigError, Problem};

/// Where a service listens when `LISTEN_ADDR` says nothing.
const DEFAULT_ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// How long requests in flight may take to end once the process was told to stop.
const GRACE: Duration = Duration::from_millis(800);

/// How long to wait before accepting is tried again.
const RETRY: Duration = Duration::from_millis(20);

/// What can keep a service from starting.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("LISTEN_ADDR is '{0}', which is no address; give one like 127.0.0.1:8080")]
    Address(String),
    #[error("cannot listen on {0}: {1}; give a free address of this machine in LISTEN_ADDR")]
    Listen(SocketAddr, io::Error),
    #[error("cannot start the threads that serve: {0}")]
    Runtime(io::Error),
    #[error("cannot announce on standard output: {0}")]
    Announce(io::Error),
}

/// Runs a service until SIGTERM or SIGINT. Called by [`serve!`](crate::serve).
pub fn main(service: &str, app: fn(Memory) -> Result<Router, ConfigError>) -> ExitCode {
    match run(service, app) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell when standard error is closed too.
            let _ = writeln!(io::stderr(), "{service}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(service: &str, app: fn(Memory) -> Result<Router, ConfigError>) -> Result<(), StartError> {
    announce(&format!(r#"{{"event":"phase","phase":"main","at_ns":{}}}"#, monotonic_ns()))?;
    let addr = listen_addr()?;
    let router = app(Memory::default())?;
    runtime().map_err(StartError::Runtime)?.block_on(async {
        let listener = TcpListener::bind(addr).await.map_err(|error| StartError::Listen(addr, error))?;
        let addr = listener.local_addr().map_err(|error| StartError::Listen(addr, error))?;
        let stop = Stop::new().map_err(StartError::Runtime)?;
        announce(&format!(
            r#"{{"event":"listening","service":"{service}","addr":"{addr}","at_ns":{}}}"#,
            monotonic_ns()
        ))?;
        accept(service, listener, router, stop).await;
        Ok(())
    })
}

fn listen_addr() -> Result<SocketAddr, StartError> {
    match std::env::var("LISTEN_ADDR") {
        Ok(text) => text.parse().map_err(|_| StartError::Address(text)),
        Err(_) => Ok(DEFAULT_ADDR),
    }
}

/// As many workers as there are CPUs for this process; with one CPU no second thread, and so no hand-over between
/// threads. Long computations get threads of their own, also one per CPU: see [`compute`].
fn runtime() -> io::Result<Runtime> {
    let cpus = available_parallelism().map_or(1, NonZero::get);
    let mut builder = if cpus == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    if cpus > 1 {
        builder.worker_threads(cpus);
    }
    builder.max_blocking_threads(cpus).enable_all().build()
}

async fn accept(name: &str, listener: TcpListener, router: Router, mut stop: Stop) {
    let (http, service) = (http::connections(), http::limited(router));
    let open = GracefulShutdown::new();
    let mut spare = Spare::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.asked() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = http.serve_connection(io_of(stream), service.clone());
                let connection = open.watch(connection);
                // A connection that breaks is its peer's loss; there is nobody to tell.
                tokio::spawn(async move { drop(connection.await) });
            }
            Err(error) if is_out_of_descriptors(&error) => spare.refuse(name, &listener, &error).await,
            // A peer gone before it was accepted.
            Err(_) => sleep(RETRY).await,
        }
    }
    drop(listener);
    // What is not done in time is cut off: the process ends when this returns.
    let _ = timeout(GRACE, open.shutdown()).await;
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::EMFILE | Errno::ENFILE))
}

/// A file descriptor that is given up for a moment when there is no other for a connection: that is accepted and closed, so that
/// its peer knows, instead of waiting for a connection that others may keep for long.
struct Spare {
    held: Option<UnixDatagram>,
    told: bool,
}

impl Spare {
    fn new() -> Self {
        Self { held: UnixDatagram::unbound().ok(), told: false }
    }

    /// Refuses the connection that is next.
    async fn refuse(&mut self, name: &str, listener: &TcpListener, error: &io::Error) {
        if !std::mem::replace(&mut self.told, true) {
            // Nobody has to read it.
            let _ =
                writeln!(io::stderr(), "{name}: connections are refused: {error}; raise the limit, as by `ulimit -n`");
        }
        self.held = None;
        let refused = std::future::poll_fn(|cx| Poll::Ready(matches!(listener.poll_accept(cx), Poll::Ready(Ok(_)))));
        let refused = refused.await;
        self.held = UnixDatagram::unbound().ok();
        if !refused {
            sleep(RETRY).await;
        }
    }
}

fn io_of(stream: TcpStream) -> TokioIo<TcpStream> {
    // An answer is one write, so there is nothing to gather; without this the kernel may hold it back. A failure means
    // that the peer is gone already.
    let _ = stream.set_nodelay(true);
    TokioIo::new(stream)
}

/// The signals that end the process.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => (),
            _ = self.interrupt.recv() => (),
        }
    }
}

/// Runs a computation of more than about a millisecond without holding up other requests: on a thread of its own, of
/// which there are as many as CPUs; further ones wait.
pub async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())
}

/// `CLOCK_MONOTONIC` in nanoseconds: the clock that all processes of a machine share.
fn monotonic_ns() -> u128 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |now| Duration::from(now).as_nanos())
}

fn announce(line: &str) -> Result<(), StartError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(StartError::Announce)
}

/// The entry of a service, see [`serve!`](crate::serve).
#[doc(hidden)]
#[macro_export]
macro_rules! entry {
    ($name:literal, $app:path) => {
        fn main() -> ::std::process::ExitCode {
            $crate::native::main($name, $app)
        }
    };
}
