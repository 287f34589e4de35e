//! What all ways of serving in WebAssembly share: one request at a time, and the router is driven to its end.
//!
//! There is no event loop. Everything a handler can wait for on this side (a request's body, the store) blocks inside
//! of the instance, so a handler's future is never pending for a reason that a second poll would not cure.

use std::io::{self, Write};
use std::pin::pin;
#[cfg(target_env = "p2")]
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};

use crate::{ConfigError, Problem};

/// Keeps the router between the requests of one instance, where the host lets an instance serve several.
pub type RouterCell = OnceLock<Router>;

/// What the router makes of a request, or of what is wrong with it.
pub fn answer<S: Default>(
    cell: &RouterCell,
    app: fn(S) -> Result<Router, ConfigError>,
    request: Result<Request<Body>, Problem>,
) -> Response {
    match (router(cell, app), request) {
        (Ok(router), Ok(request)) => complete(tower_call(router, request)),
        (Err(error), _) => {
            // The host's log is the place for this, not the caller.
            let _ = writeln!(io::stderr(), "not configured: {error}");
            Problem::internal().into_response()
        }
        (_, Err(problem)) => problem.into_response(),
    }
}

/// What `wasmtime run` and its like get to see.
#[cfg(target_env = "p2")]
pub fn refuse_to_run(service: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{service} answers HTTP requests; serve it, as by `wasmtime serve`");
    ExitCode::FAILURE
}

/// Runs a long computation; an instance has one request and one thread, so there is nobody to hold up.
pub async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    Ok(work())
}

fn router<S: Default>(cell: &RouterCell, app: fn(S) -> Result<Router, ConfigError>) -> Result<Router, ConfigError> {
    if let Some(router) = cell.get() {
        return Ok(router.clone());
    }
    let router = app(S::default())?;
    Ok(cell.get_or_init(|| router).clone())
}

async fn tower_call(mut router: Router, request: Request<Body>) -> Response {
    use tower_service::Service;
    // A router is always ready, and cannot fail.
    let Ok(response) = Service::<Request>::call(&mut router, request).await;
    response
}

/// Polls a future to its end.
///
/// # Panics
/// When the future waits for something that nothing on this side can bring about: the host ends the request then.
pub fn complete<T>(future: impl Future<Output = T>) -> T {
    struct Woken(AtomicBool);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        assert!(woken.0.swap(false, Ordering::Relaxed), "a handler waits for something that cannot come");
    }
}
