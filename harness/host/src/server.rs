//! HTTP: connections in, answers out.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::Context;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::errno::Errno;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::front::Front;
use crate::{Service, log};

/// Tells connections to end, and how many there are. Cloned for each.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// The signal and what waits for it.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    async fn requested(&mut self) {
        // An error means that the sender is gone, and the process about to end.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// Opens the port of a service.
///
/// # Errors
/// The address is taken or not of this machine.
pub async fn listen(addr: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(addr)
        .await
        .with_context(|| format!("cannot listen on {addr}; is another process using it? Port 0 takes a free one"))?;
    let addr = listener.local_addr().context("the listener has no address")?;
    Ok((listener, addr))
}

/// Accepts the connections of a service until told to stop.
pub async fn serve<S: Service>(listener: TcpListener, front: Arc<Front<S>>, mut stop: Stop) {
    let http = http(front.limits().header_timeout);
    let mut spare = Spare::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.requested() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(connection(http.clone(), stream, Arc::clone(&front), stop.clone()));
            }
            Err(error) if is_out_of_descriptors(&error) => spare.refuse(&listener, &error).await,
            // Mostly a client that has left already.
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// What holds for each connection.
fn http(header_timeout: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    // A client that has sent its request may end its side, and still gets its answer. So one that leaves in the middle is not
    // noticed before something is written to it; its request ends at the deadline as all do.
    http.timer(TokioTimer::new()).header_read_timeout(header_timeout).half_close(true);
    http
}

/// How long to wait before accepting is tried again.
const RETRY: Duration = Duration::from_millis(10);

/// How long what was told of refused connections is not told again.
const TOLD: Duration = Duration::from_mins(1);

fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::EMFILE | Errno::ENFILE))
}

/// A file descriptor that is given up for a moment when there is no other for a connection: that is accepted and closed, so that
/// its client knows, instead of waiting for a connection that others may keep for long.
struct Spare {
    held: Option<UnixDatagram>,
    told: Option<Instant>,
}

impl Spare {
    fn new() -> Self {
        Self { held: UnixDatagram::unbound().ok(), told: None }
    }

    /// Refuses the connection that is next.
    async fn refuse(&mut self, listener: &TcpListener, error: &io::Error) {
        if self.told.is_none_or(|told| told.elapsed() > TOLD) {
            self.told = Some(Instant::now());
            log::line("", &format!("connections are refused for now: {error}; raise the limit, as by `ulimit -n`"));
        }
        self.held = None;
        let refused = std::future::poll_fn(|cx| Poll::Ready(matches!(listener.poll_accept(cx), Poll::Ready(Ok(_)))));
        let refused = refused.await;
        self.held = UnixDatagram::unbound().ok();
        if !refused {
            tokio::time::sleep(RETRY).await;
        }
    }
}

async fn connection<S: Service>(http: http1::Builder, stream: TcpStream, front: Arc<Front<S>>, mut stop: Stop) {
    // Without it, an answer in several writes waits for the client's acknowledgement of the first.
    // An error means that the connection is gone already, which reading will tell.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { Ok::<_, Infallible>(front.answer(request).await) }
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), answer));
    // How a connection ends is the client's affair: it may reset, leave in the middle or send what is not HTTP.
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = stop.requested() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
