//! HTTP: connections in, answers out.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
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
    let mut told = false;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.requested() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                told = false;
                tokio::spawn(connection(stream, Arc::clone(&front), stop.clone()));
            }
            Err(error) => {
                // Mostly too many open files; connections that end make room. Told once until one is accepted again.
                if !std::mem::replace(&mut told, true) {
                    log::line("", &format!("no connection can be accepted for now: {error}"));
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

async fn connection<S: Service>(stream: TcpStream, front: Arc<Front<S>>, mut stop: Stop) {
    // Without it, an answer in several writes waits for the client's acknowledgement of the first.
    // An error means that the connection is gone already, which reading will tell.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { Ok::<_, Infallible>(front.answer(request).await) }
    });
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    // How a connection ends is the client's affair: it may reset, leave in the middle or send what is not HTTP.
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = stop.requested() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
