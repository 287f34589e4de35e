//! The Common Gateway Interface, RFC 3875, from the side of the server: for programs that answer one request each.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};

use crate::direct;
use crate::failure::Failure;

/// The meta-variables of a request (section 4.1).
pub fn variables(request: &Request<Bytes>) -> Vec<(String, String)> {
    let target = direct::target(request);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let host = text(request.headers(), header::HOST.as_str());
    let (name, port) = host.rsplit_once(':').unwrap_or((&host, "80"));
    let fixed = [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_SOFTWARE", concat!("tare/", env!("CARGO_PKG_VERSION"))),
        ("SERVER_NAME", name),
        ("SERVER_PORT", port),
        ("REQUEST_METHOD", request.method().as_str()),
        ("SCRIPT_NAME", ""),
        // Not decoded, which the RFC leaves to the server where decoding would lose something.
        ("PATH_INFO", path),
        ("QUERY_STRING", query),
        ("REQUEST_URI", target),
    ];
    let mut variables: Vec<_> = fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    if !request.body().is_empty() {
        variables.push(("CONTENT_LENGTH".into(), request.body().len().to_string()));
    }
    for name in request.headers().keys() {
        let variable = match name.as_str() {
            // The first three are the connection's; the last is not given, since programs and libraries take its variable
            // for a setting of their own.
            "content-length" | "transfer-encoding" | "connection" | "proxy" => continue,
            "content-type" => "CONTENT_TYPE".to_owned(),
            other => format!("HTTP_{}", other.to_ascii_uppercase().replace('-', "_")),
        };
        variables.push((variable, text(request.headers(), name.as_str())));
    }
    variables
}

/// All values of a header, as one.
fn text(headers: &HeaderMap, name: &str) -> String {
    let values: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    values.join(", ")
}

/// The response of which a program wrote this (section 6).
///
/// # Errors
/// It is no CGI response.
pub fn response(written: &Bytes) -> Result<Response<Bytes>, Failure> {
    let refused = |what: &str| Failure::Refused(format!("what it wrote is no CGI response: {what}"));
    if written.is_empty() {
        return Err(Failure::NoAnswer);
    }
    let (mut status, mut headers, mut at) = (200, Vec::new(), 0);
    loop {
        let end = written[at..].iter().position(|byte| *byte == b'\n').ok_or_else(|| refused("its head is cut"))?;
        let line = written[at..at + end].strip_suffix(b"\r").unwrap_or(&written[at..at + end]);
        at += end + 1;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or_else(|| refused("a line is no header"))?;
        let name = std::str::from_utf8(&line[..colon]).map_err(|_| refused("a header's name is no text"))?;
        let value = line[colon + 1..].trim_ascii();
        if name.eq_ignore_ascii_case("status") {
            let number = value.get(..3).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            status = number.ok_or_else(|| refused("its status is no number"))?;
        } else {
            headers.push((name, value));
        }
    }
    direct::response(status, headers, written.slice(at..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_becomes_variables() {
        let request = Request::put("/a%20b?c=d&e")
            .header("host", "here:8080")
            .header("content-type", "text/plain")
            .header("content-length", "4")
            .header("x-two", "1")
            .header("x-two", "2")
            .header("proxy", "http://elsewhere")
            .body(Bytes::from_static(b"body"))
            .unwrap();
        let variables = variables(&request);
        let value = |name: &str| variables.iter().find(|variable| variable.0 == name).map(|variable| &*variable.1);
        for (name, expected) in [
            ("REQUEST_METHOD", "PUT"),
            ("REQUEST_URI", "/a%20b?c=d&e"),
            ("PATH_INFO", "/a%20b"),
            ("QUERY_STRING", "c=d&e"),
            ("CONTENT_LENGTH", "4"),
            ("CONTENT_TYPE", "text/plain"),
            ("SERVER_NAME", "here"),
            ("SERVER_PORT", "8080"),
            ("HTTP_HOST", "here:8080"),
            ("HTTP_X_TWO", "1, 2"),
        ] {
            assert_eq!(value(name), Some(expected), "{name}");
        }
        assert_eq!(value("HTTP_PROXY"), None);
        assert_eq!(value("HTTP_CONTENT_LENGTH"), None);
    }

    #[test]
    fn what_is_written_becomes_a_response() {
        let made = response(&Bytes::from_static(b"Status: 201 Created\r\nLocation: /1\nx-a:b\r\n\r\n\nbody")).unwrap();
        assert_eq!(made.status(), 201);
        assert_eq!(made.headers()["location"], "/1");
        assert_eq!(made.headers()["x-a"], "b");
        assert_eq!(&made.body()[..], b"\nbody");
        assert_eq!(response(&Bytes::from_static(b"Content-Type: a/b\n\n")).unwrap().status(), 200);
    }

    #[test]
    fn what_is_no_response_is_refused() {
        assert!(matches!(response(&Bytes::new()), Err(Failure::NoAnswer)));
        for wrong in ["hello", "hello\n\n", "Status: 200", "Status: fine\n\n", "a: b\n", "Status: 100\n\n"] {
            assert!(matches!(response(&Bytes::from(wrong)), Err(Failure::Refused(_))), "{wrong}");
        }
    }
}
