//! Serving as a component without `wasi:http`: the host calls one function with a request and gets the response, both as
//! plain values. A control for measurements: what is left is the engine and the canonical ABI.

use std::pin::pin;

use axum::Router;
use axum::body::Body;
use axum::http::{self, HeaderName, HeaderValue, Method, Uri};
use http_body::Body as _;

use crate::guest::{self, complete};
use crate::store::KeyValue;
use crate::{ConfigError, Problem};

pub use crate::guest::{RouterCell, refuse_to_run};
pub use bindings::export;
pub use bindings::exports::tare::direct::handler::{Guest, Request, Response};

#[doc(hidden)]
#[expect(clippy::pedantic, reason = "generated code")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit/direct",
        world: "direct",
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "service_kit::direct::bindings",
    });
}

/// Answers one request. Called by [`serve!`](crate::serve).
pub fn handle(cell: &RouterCell, app: fn(KeyValue) -> Result<Router, ConfigError>, request: Request) -> Response {
    let (head, body) = guest::answer(cell, app, incoming(request)).into_parts();
    let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_owned()));
    Response { status: head.status.as_u16(), headers: headers.collect(), body: whole(body) }
}

/// The host's request as the router wants it. Fails on what HTTP itself does not allow.
fn incoming(request: Request) -> Result<http::Request<Body>, Problem> {
    let malformed = |what: &str| Problem::bad_request(format!("The request's {what} is not valid."));
    let mut converted = http::Request::new(Body::from(request.body));
    for (name, value) in request.headers {
        let name = HeaderName::try_from(name).map_err(|_| malformed("header"))?;
        let value = HeaderValue::try_from(value).map_err(|_| malformed("header"))?;
        converted.headers_mut().append(name, value);
    }
    *converted.method_mut() = Method::from_bytes(request.method.as_bytes()).map_err(|_| malformed("method"))?;
    *converted.uri_mut() = Uri::try_from(request.target).map_err(|_| malformed("target"))?;
    Ok(converted)
}

/// The whole of a body.
///
/// # Panics
/// When the router breaks it off: the host ends the request then.
fn whole(body: Body) -> Vec<u8> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(frame) = complete(std::future::poll_fn(|context| body.as_mut().poll_frame(context))) {
        if let Ok(data) = frame.expect("the body of an answer is in memory").into_data() {
            // Mostly the only piece.
            if bytes.is_empty() { bytes = data.into() } else { bytes.extend_from_slice(&data) }
        }
    }
    bytes
}

/// The entry of a service, see [`serve!`](crate::serve).
#[doc(hidden)]
#[macro_export]
macro_rules! entry {
    ($name:literal, $app:path) => {
        fn main() -> ::std::process::ExitCode {
            $crate::direct::refuse_to_run($name)
        }

        const _: () = {
            struct Component;

            impl $crate::direct::Guest for Component {
                fn handle(request: $crate::direct::Request) -> $crate::direct::Response {
                    static ROUTER: $crate::direct::RouterCell = $crate::direct::RouterCell::new();
                    $crate::direct::handle(&ROUTER, $app, request)
                }
            }

            $crate::direct::export!(Component);
        };
    };
}
