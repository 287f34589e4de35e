//! Whom a request is for: the header `host`.

use anyhow::anyhow;
use http::{HeaderValue, Request, Version, header};

use crate::failure::Failure;

/// Checks what RFC 9112 wants of the header `host` in section 3.2. A request of HTTP/1.0 need not have one; it gets `own`, since
/// a component is told whom it is asked for.
///
/// # Errors
/// There are several, or one that names no host; or there is none where there must be.
pub fn check<B>(request: &mut Request<B>, own: &HeaderValue) -> Result<(), Failure> {
    let version = request.version();
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let wrong = match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_host(host) => return Ok(()),
        (None, _) if version < Version::HTTP_11 => {
            request.headers_mut().insert(header::HOST, own.clone());
            return Ok(());
        }
        (Some(_), None) => "its header `host` names none",
        (Some(_), Some(_)) => "it has several headers `host`",
        (None, _) => "it has no header `host`",
    };
    Err(Failure::BadRequest(anyhow!(wrong)))
}

/// Whether it has nothing that no host and port has. What is empty is right for a target without a host.
fn is_host(value: &HeaderValue) -> bool {
    value.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(version: Version, hosts: &[&'static str]) -> Result<Vec<HeaderValue>, Failure> {
        let mut request = Request::builder().version(version).body(()).unwrap();
        for host in hosts {
            request.headers_mut().append(header::HOST, HeaderValue::from_static(host));
        }
        check(&mut request, &HeaderValue::from_static("127.0.0.1:80"))?;
        Ok(request.headers().get_all(header::HOST).iter().cloned().collect())
    }

    #[test]
    fn a_request_has_one_host_that_is_one() {
        for host in ["here", "here:80", "127.0.0.1:8080", "[::1]:80", "a_b.c", ""] {
            for version in [Version::HTTP_10, Version::HTTP_11] {
                assert_eq!(checked(version, &[host]).unwrap(), [host]);
            }
        }
        for wrong in [&["here", "here"][..], &["here", "there"], &["me@here"], &["here/path"], &["a b"], &["a,b", "c"]]
        {
            for version in [Version::HTTP_10, Version::HTTP_11] {
                assert!(matches!(checked(version, wrong), Err(Failure::BadRequest(_))), "{wrong:?}");
            }
        }
    }

    #[test]
    fn a_request_without_a_host_is_one_of_http_1_0_and_gets_ours() {
        assert_eq!(checked(Version::HTTP_10, &[]).unwrap(), ["127.0.0.1:80"]);
        assert!(matches!(checked(Version::HTTP_11, &[]), Err(Failure::BadRequest(_))));
    }
}
