//! What the services share, and the only code of theirs that knows where it runs.
//!
//! A service is an [`axum::Router`] over a [`Store`], made by one function, and [`serve!`] is its whole entry. On a
//! machine that entry is a server process with its state in its own memory; compiled for `wasm32-wasip2` it is a
//! component of the `wasi:http/proxy` world with its state behind `wasi:keyvalue`. Nothing outside of the modules
//! `native` and `component` and the two sides of [`store`] asks which of the two it is.

mod clock;
mod config;
mod id;
mod index;
mod json;
mod money;
mod problem;
mod segment;
pub mod store;

#[cfg(target_os = "wasi")]
#[doc(hidden)]
pub mod component;
#[cfg(not(target_os = "wasi"))]
#[doc(hidden)]
pub mod native;

#[cfg(target_os = "wasi")]
pub use component::compute;
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
        #[cfg(not(target_os = "wasi"))]
        fn main() -> ::std::process::ExitCode {
            $crate::native::main($name, $app)
        }

        #[cfg(target_os = "wasi")]
        fn main() -> ::std::process::ExitCode {
            $crate::component::refuse_to_run($name)
        }

        #[cfg(target_os = "wasi")]
        const _: () = {
            struct Component;

            impl $crate::component::Guest for Component {
                fn handle(request: $crate::component::IncomingRequest, answer: $crate::component::ResponseOutparam) {
                    static ROUTER: $crate::component::RouterCell = $crate::component::RouterCell::new();
                    $crate::component::handle(&ROUTER, $app, request, answer);
                }
            }

    $crate::component::export!(Component with_types_in $crate::component::wasip2);
        };
    };
}
