//! Serving as a program of the Common Gateway Interface (RFC 3875): a process per request, which reads it from its
//! environment and its standard input, and writes the answer to its standard output.
//!
//! A control for measurements: for WASI 0.1, which has no HTTP, this is how a runtime without components serves.

use std::io::{self, Read, Write};
use std::pin::pin;
use std::process::ExitCode;

use axum::Router;
use axum::body::Body;
use axum::http::{self, HeaderName, HeaderValue, Method, Uri};
use axum::response::Response;
use http_body::Body as _;

use crate::guest::{self, RouterCell, complete};
use crate::store::Files;
use crate::{ConfigError, Problem};

/// Answers the one request of this process. Called by [`serve!`](crate::serve).
pub fn main(service: &str, app: fn(Files) -> Result<Router, ConfigError>) -> ExitCode {
    if std::env::var_os("GATEWAY_INTERFACE").is_none() {
        let _ = writeln!(io::stderr(), "{service} answers one HTTP request as a CGI program; have a server run it");
        return ExitCode::FAILURE;
    }
    match send(guest::answer(&RouterCell::new(), app, incoming())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "the answer could not be written: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The server's request as the router wants it. Fails on what HTTP itself does not allow.
fn incoming() -> Result<http::Request<Body>, Problem> {
    let malformed = |what: &str| Problem::bad_request(format!("The request's {what} is not valid."));
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let mut body = Vec::new();
    if variable("CONTENT_LENGTH").parse().is_ok_and(|length: u64| length > 0) {
        io::stdin().read_to_end(&mut body).map_err(|_| malformed("body"))?;
    }
    let mut request = http::Request::new(Body::from(body));
    for (name, value) in std::env::vars() {
        // These two have no prefix, see section 4.1 of the RFC.
        let header = match name.as_str() {
            "CONTENT_TYPE" => "content-type".to_owned(),
            "CONTENT_LENGTH" => "content-length".to_owned(),
            _ => match name.strip_prefix("HTTP_") {
                Some(rest) => rest.to_ascii_lowercase().replace('_', "-"),
                None => continue,
            },
        };
        let header = HeaderName::try_from(header).map_err(|_| malformed("header"))?;
        request.headers_mut().append(header, HeaderValue::try_from(value).map_err(|_| malformed("header"))?);
    }
    *request.method_mut() =
        Method::from_bytes(variable("REQUEST_METHOD").as_bytes()).map_err(|_| malformed("method"))?;
    // PATH_INFO is decoded, which loses what was sent; servers give this beside it.
    *request.uri_mut() = Uri::try_from(variable("REQUEST_URI")).map_err(|_| malformed("target"))?;
    Ok(request)
}

/// Writes the answer at once.
fn send(response: Response) -> io::Result<()> {
    let (head, body) = response.into_parts();
    let mut out = format!("Status: {}\r\n", head.status).into_bytes();
    for (name, value) in &head.headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
    let mut body = pin!(body);
    while let Some(frame) = complete(std::future::poll_fn(|context| body.as_mut().poll_frame(context))) {
        if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
            out.extend_from_slice(&data);
        }
    }
    io::stdout().write_all(&out)
}

/// The entry of a service, see [`serve!`](crate::serve).
#[doc(hidden)]
#[macro_export]
macro_rules! entry {
    ($name:literal, $app:path) => {
        fn main() -> ::std::process::ExitCode {
            $crate::cgi::main($name, $app)
        }
    };
}
