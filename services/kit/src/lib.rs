//! What the services share, and the only code of theirs that knows where it runs.
//!
//! A service is an [`axum::Router`] over a [`Store`], made by one function, and [`serve!`] is its whole entry. On a
//! machine that entry is a server process with its state in its own memory; compiled for `wasm32-wasip2` it is a
//! component of the `wasi:http/proxy` world with its state behind `wasi:keyvalue`. Two more are controls for measurements:
//! with the feature `direct` the component exports one function instead of the world's handler, and for `wasm32-wasip1`
//! the entry is a CGI program with its state in files. Nothing outside of the modules `native`, `component`, `direct` and
//! `cgi` and the sides of [`store`] asks which of them it is.

mod clock;
mod config;
mod id;
mod index;
mod json;
mod money;
mod problem;
mod segment;
pub mod store;

#[cfg(target_env = "p1")]
#[doc(hidden)]
pub mod cgi;
#[cfg(all(target_env = "p2", not(feature = "direct")))]
#[doc(hidden)]
pub mod component;
#[cfg(all(target_env = "p2", feature = "direct"))]
#[doc(hidden)]
pub mod direct;
#[cfg(target_os = "wasi")]
mod guest;
#[cfg(not(target_os = "wasi"))]
#[doc(hidden)]
pub mod native;

#[cfg(target_os = "wasi")]
pub use guest::compute;
#[cfg(not(target_os = "wasi"))]
pub use native::compute;

pub use clock::unix_seconds;
pub use config::{ConfigError, secret};
pub use id::{is_id, random_bytes, random_id};
pub use index::PagedIndex;
pub use json::{Json, page};
pub use money::{Currency, MAX_AMOUNT, Money, portion};
pub use problem::Problem;
pub use segment::Segment;
pub use store::{Store, StoreError};

use axum::Router;
use axum::routing::get;
use serde::Serialize;

/// The longest request body a service reads, in bytes. Longer ones are refused with status 413.
pub const MAX_BODY: usize = 64 * 1024;

/// The answer of `/healthz`.
#[derive(Serialize)]
struct Health {
    status: &'static str,
    service: &'static str,
}

/// Adds what every service has: `/healthz`, and answers for unknown paths and methods.
pub fn with_common_routes(service: &'static str, router: Router) -> Router {
    let health = move || async move { Json(Health { status: "ok", service }) };
    router
        .route("/healthz", get(health))
        .fallback(problem::unknown_path)
        .method_not_allowed_fallback(problem::unknown_method)
}

/// The entry of a service: its name, and the function that makes its router from a [`Store`].
///
/// The function is `fn app<S: Store>(store: S) -> Result<Router, ConfigError>`; it reads the service's environment.
#[macro_export]
macro_rules! serve {
    ($name:literal, $app:path) => {
        $crate::entry!($name, $app);
    };
}
