//! Requests and responses as plain values: what passes where a component is called without `wasi:http`.
//!
//! Both hosts serve components of the world `tare:direct` besides those of `wasi:http`, as a control: what is measured
//! then is the runtime and the canonical ABI, and nothing of either host's `wasi:http`.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};

use crate::failure::Failure;

/// Returns the target of a request: its path and query.
pub fn target<B>(request: &Request<B>) -> &str {
    request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
}

/// Makes a response of the parts that a component gave.
///
/// # Errors
/// It is not one that HTTP allows.
pub fn response<'a>(
    status: u16,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    body: Bytes,
) -> Result<Response<Bytes>, Failure> {
    let refused = |what: String| Failure::Refused(format!("{what} is not one of HTTP"));
    let mut response = Response::new(body);
    // What is below 200 is no answer.
    let legal = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational());
    *response.status_mut() = legal.ok_or_else(|| refused(format!("the status {status}")))?;
    for (name, value) in headers {
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused(format!("the header `{name}`")))?;
        let value = HeaderValue::from_bytes(value).map_err(|_| refused(format!("the value of the header `{name}`")))?;
        response.headers_mut().append(header, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_must_be_one_of_http() {
        let given = [("x-a", &b"1"[..]), ("x-a", b"2")];
        let made = response(201, given, Bytes::from_static(b"body")).unwrap();
        assert_eq!(made.status(), StatusCode::CREATED);
        assert_eq!(made.headers().get_all("x-a").iter().count(), 2);
        for (status, name, value) in [(100, "x", "y"), (99, "x", "y"), (200, "x y", "y"), (200, "x", "y\n")] {
            let refused = response(status, [(name, value.as_bytes())], Bytes::new()).unwrap_err();
            assert!(refused.to_string().ends_with("is not one of HTTP"), "{refused}");
        }
    }

    #[test]
    fn a_target_is_path_and_query() {
        let target_of = |uri: &str| target(&Request::get(uri).body(()).unwrap()).to_owned();
        assert_eq!(target_of("/a?b"), "/a?b");
        assert_eq!(target_of("http://here/a"), "/a");
        assert_eq!(target_of("http://here"), "/");
    }
}
