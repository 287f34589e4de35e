//! What a connection and a request may take, and answering a request within that. The hosts of components have the same limits
//! as defaults, and answer alike.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CONNECTION, HOST};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioTimer;
use hyper_util::service::TowerToHyperService;
use tokio::time::{Sleep, sleep};

use crate::Problem;

/// How long the head of a request may take to come, and how long a connection may wait for its next one: long for a client that
/// thinks, short for one that only holds a connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may send nothing of a body that is waited for.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a request may take. A computation on a thread of its own goes on after it.
const DEADLINE: Duration = Duration::from_secs(10);

/// What holds for each connection.
pub(super) fn connections() -> http1::Builder {
    let mut http = http1::Builder::new();
    // A client that has sent its request may end its side, and still gets its answer.
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).half_close(true);
    http
}

/// The service of a connection.
pub(super) fn limited(
    router: Router,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> + Clone {
    let router = TowerToHyperService::new(router);
    service_fn(move |request| {
        let router = router.clone();
        async move { Ok(answer(&router, request).await.unwrap_or_else(IntoResponse::into_response)) }
    })
}

async fn answer(router: &TowerToHyperService<Router>, request: Request<Incoming>) -> Result<Response, Problem> {
    check_host(request.version(), request.headers())?;
    let stalled = (!request.body().is_end_stream()).then(Arc::<AtomicBool>::default);
    let request = request.map(|body| match &stalled {
        Some(stalled) => Body::new(Timed { body, patience: Patience::new(BODY_TIMEOUT), stalled: Arc::clone(stalled) }),
        None => Body::empty(),
    });
    let (mut answered, mut deadline) = (pin!(router.call(request)), Patience::new(DEADLINE));
    let response = std::future::poll_fn(|cx| match answered.as_mut().poll(cx) {
        Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
        Poll::Pending => deadline
            .poll_over(cx)
            .map(|()| Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, "The request took longer than it may."))),
    })
    .await;
    // Whatever was answered over that. The rest of the request may still come, and would be taken for the next one.
    if stalled.is_some_and(|stalled| stalled.load(Ordering::Relaxed)) {
        let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "The body of the request did not come in time.");
        return Ok(([(CONNECTION, HeaderValue::from_static("close"))], problem).into_response());
    }
    response
}

/// Checks what RFC 9112 wants of the header `host` in section 3.2. A request of HTTP/1.0 need not have one.
fn check_host(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let is_host = |value: &HeaderValue| {
        value.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(byte))
    };
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_host(host) => Ok(()),
        (None, None) if version < Version::HTTP_11 => Ok(()),
        _ => Err(Problem::bad_request("A request has one header 'host', which names a host.")),
    }
}

/// Ends a wait that lasts for too long. One that is over at the next turn, as for what came with the head, costs no timer.
struct Patience {
    most: Duration,
    turned: bool,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn new(most: Duration) -> Self {
        Self { most, turned: false, timer: None }
    }

    /// Waits for its end, which is counted from the first time that this was asked.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !std::mem::replace(&mut self.turned, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.timer.get_or_insert_with(|| Box::pin(sleep(self.most))).as_mut().poll(cx)
    }
}

/// A body that breaks off where its client sends nothing for too long.
struct Timed {
    body: Incoming,
    patience: Patience,
    /// Whether it did.
    stalled: Arc<AtomicBool>,
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.patience = Patience::new(BODY_TIMEOUT);
            return Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)));
        }
        ready!(this.patience.poll_over(cx));
        this.stalled.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{get, post};
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::Instant;

    /// The other end of a connection to a service.
    fn connect() -> DuplexStream {
        let slow = || async { sleep(Duration::from_hours(1)).await };
        let soon = || async {
            sleep(Duration::from_secs(9)).await;
            "soon"
        };
        let echo = |body: Bytes| async move { body };
        let router = Router::new()
            .route("/slow", get(slow))
            .route("/soon", get(soon))
            .route("/echo", post(echo))
            .fallback(|| async { "nothing there" });
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let connection = connections().serve_connection(TokioIo::new(theirs), limited(router));
        tokio::spawn(async move { drop(connection.await) });
        ours
    }

    /// Sends something, ends that side if `ends`, and reads until the service ends the other one.
    async fn told(request: &str, ends: bool) -> (String, u64) {
        let (mut connection, began) = (connect(), Instant::now());
        connection.write_all(request.as_bytes()).await.unwrap();
        if ends {
            connection.shutdown().await.unwrap();
        }
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        (answer, began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_and_so_has_a_connection_without_a_request() {
        assert_eq!(told("GET / HTTP/1.1\r\nHost: he", false).await, (String::new(), 30));
        let (answer, after) = told("GET / HTTP/1.1\r\nHost: here\r\n\r\n", false).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && after == 30, "{answer} {after}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_has_its_time() {
        let (answer, after) = told("GET /slow HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n", false).await;
        assert!(answer.starts_with("HTTP/1.1 504 ") && answer.contains("application/problem+json"), "{answer}");
        assert_eq!(after, 10);
        let (answer, after) = told("GET /soon HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n", false).await;
        assert!(answer.ends_with("\r\n\r\nsoon") && after == 9, "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_coming_is_told_so() {
        let head = "POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 8\r\n";
        for sent in ["", "half"] {
            let (answer, after) = told(&format!("{head}\r\n{sent}"), false).await;
            assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("connection: close\r\n"), "{answer}");
            assert_eq!(after, 5);
        }
        let (answer, after) = told(&format!("{head}Connection: close\r\n\r\nthe body"), false).await;
        assert!(answer.ends_with("\r\n\r\nthe body") && after == 0, "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_ends_its_side_gets_its_answer() {
        let (answer, after) = told("GET /soon HTTP/1.1\r\nHost: here\r\n\r\n", true).await;
        assert!(answer.ends_with("\r\n\r\nsoon") && after == 9, "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_names_one_host_unless_it_is_of_http_1_0() {
        for (head, status) in [
            ("1.1\r\nHost: here:80\r\n", "200"),
            ("1.1\r\nHost: [::1]:80\r\n", "200"),
            ("1.1\r\nHost:\r\n", "200"),
            ("1.0\r\n", "200"),
            ("1.0\r\nHost: here\r\n", "200"),
            ("1.1\r\n", "400"),
            ("1.1\r\nHost: here\r\nHost: here\r\n", "400"),
            ("1.0\r\nHost: here\r\nHost: here\r\n", "400"),
            ("1.1\r\nHost: me@here\r\n", "400"),
        ] {
            let (answer, _) = told(&format!("GET / HTTP/{head}Connection: close\r\n\r\n"), false).await;
            assert_eq!(answer.split(' ').nth(1), Some(status), "{head}: {answer}");
        }
    }
}
