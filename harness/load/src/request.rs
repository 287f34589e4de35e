//! One request of the load in its wire form, and what a right answer to it looks like.

use memchr::memmem::Finder;

/// Stands in a path, a header value or a body where each request gets a value of its own.
pub const UNIQUE: &str = "${unique}";

/// What [`UNIQUE`] is replaced with: 16 lower-case hexadecimal digits.
const UNIQUE_DIGITS: usize = 16;

/// The host named by requests that do not name one themselves. It is the same for every subject, whatever its address,
/// so that all subjects are sent the same bytes.
const DEFAULT_HOST: &str = "localhost";

/// The parts that a [`Request`] is made of.
#[derive(Debug, Clone, Default)]
pub struct Parts<'a> {
    /// What messages call the request.
    pub name: &'a str,
    /// The method, `GET` for example.
    pub method: &'a str,
    /// The path with its query, beginning with `/`. May contain [`UNIQUE`].
    pub path: &'a str,
    /// Header names and values. Values may contain [`UNIQUE`]. `Host` defaults to `localhost`; `Content-Length` is
    /// computed and cannot be given.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body. May contain [`UNIQUE`].
    pub body: &'a [u8],
    /// What a right answer looks like.
    pub expect: Expect,
}

/// What a right answer looks like: its status, and literal parts of its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// The status code.
    pub status: u16,
    /// Every one of these must occur somewhere in the body.
    pub contains: Vec<Vec<u8>>,
}

/// Parts that make no valid HTTP/1.1 request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The method is empty or not a token.
    #[error("request {name}: {method:?} is not a method")]
    Method {
        /// The name of the request.
        name: String,
        /// The method as given.
        method: String,
    },
    /// The path does not begin with a slash, or contains white space, control or non-ASCII characters.
    #[error(
        "request {name}: {path:?} is not a path: it must begin with / and have all but visible ASCII percent-encoded"
    )]
    Path {
        /// The name of the request.
        name: String,
        /// The path as given.
        path: String,
    },
    /// A header's name is not a token, its value contains control characters, or it decides the framing.
    #[error("request {name}: header {header:?} cannot be sent: {reason}")]
    Header {
        /// The name of the request.
        name: String,
        /// The name of the header as given.
        header: String,
        /// Why not.
        reason: &'static str,
    },
}

/// A request in its wire form.
#[derive(Debug, Clone)]
pub struct Request {
    name: String,
    bytes: Vec<u8>,
    unique_at: Vec<usize>,
    is_head: bool,
    expect: Expect,
    needles: Vec<Finder<'static>>,
}

impl Request {
    /// Puts the parts together.
    ///
    /// # Errors
    /// [`RequestError`] for parts that would make a malformed request.
    pub fn new(parts: &Parts<'_>) -> Result<Self, RequestError> {
        check(parts)?;
        let mut wire = Wire::default();
        wire.push(parts.method.as_bytes());
        wire.push(b" ");
        wire.push_template(parts.path.as_bytes());
        wire.push(b" HTTP/1.1\r\n");
        if !parts.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            wire.push_header("host", DEFAULT_HOST);
        }
        for (name, value) in parts.headers {
            wire.push_header(name, value);
        }
        let mut body = Wire::default();
        body.push_template(parts.body);
        if !body.bytes.is_empty() || matches!(parts.method, "POST" | "PUT" | "PATCH") {
            wire.push_header("content-length", &body.bytes.len().to_string());
        }
        wire.push(b"\r\n");
        wire.append(&body);
        let needles = parts.expect.contains.iter().map(|needle| Finder::new(needle).into_owned()).collect();
        Ok(Self {
            name: parts.name.to_owned(),
            bytes: wire.bytes,
            unique_at: wire.unique_at,
            is_head: parts.method == "HEAD",
            expect: parts.expect.clone(),
            needles,
        })
    }

    /// What messages call the request.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a right answer looks like.
    pub fn expect(&self) -> &Expect {
        &self.expect
    }

    /// Whether the method is `HEAD`, to which an answer has no body whatever its headers say.
    pub fn is_head(&self) -> bool {
        self.is_head
    }

    /// The same request, with another notion of a right answer.
    #[must_use]
    pub fn expecting(mut self, expect: Expect) -> Self {
        self.needles = expect.contains.iter().map(|needle| Finder::new(needle).into_owned()).collect();
        self.expect = expect;
        self
    }

    /// Writes the request with `unique` in its places over whatever `wire` held.
    pub fn render(&self, unique: u64, wire: &mut Vec<u8>) {
        wire.clear();
        wire.extend_from_slice(&self.bytes);
        if self.unique_at.is_empty() {
            return;
        }
        let digits = hex_digits(unique);
        for &at in &self.unique_at {
            wire[at..at + UNIQUE_DIGITS].copy_from_slice(&digits);
        }
    }

    /// The first of the expected parts of the body that `body` does not contain.
    pub fn missing_in<'a>(&'a self, body: &[u8]) -> Option<&'a [u8]> {
        self.needles.iter().find(|needle| needle.find(body).is_none()).map(Finder::needle)
    }
}

/// The bytes of a message in the making, and where unique values stand in them.
#[derive(Default)]
struct Wire {
    bytes: Vec<u8>,
    unique_at: Vec<usize>,
}

impl Wire {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn push_template(&mut self, mut template: &[u8]) {
        while let Some(at) = memchr::memmem::find(template, UNIQUE.as_bytes()) {
            self.push(&template[..at]);
            self.unique_at.push(self.bytes.len());
            self.push(&[b'0'; UNIQUE_DIGITS]);
            template = &template[at + UNIQUE.len()..];
        }
        self.push(template);
    }

    fn push_header(&mut self, name: &str, value: &str) {
        self.push(name.as_bytes());
        self.push(b": ");
        self.push_template(value.as_bytes());
        self.push(b"\r\n");
    }

    fn append(&mut self, other: &Self) {
        let shift = self.bytes.len();
        self.unique_at.extend(other.unique_at.iter().map(|at| at + shift));
        self.push(&other.bytes);
    }
}

fn check(parts: &Parts<'_>) -> Result<(), RequestError> {
    let name = || parts.name.to_owned();
    if !is_token(parts.method) {
        return Err(RequestError::Method { name: name(), method: parts.method.to_owned() });
    }
    if !parts.path.starts_with('/') || !parts.path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(RequestError::Path { name: name(), path: parts.path.to_owned() });
    }
    for (header, value) in parts.headers {
        let reason = if !is_token(header) {
            "its name is not a token"
        } else if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            "its value contains control characters"
        } else if header.eq_ignore_ascii_case("content-length") || header.eq_ignore_ascii_case("transfer-encoding") {
            "the length of the body is computed"
        } else {
            continue;
        };
        return Err(RequestError::Header { name: name(), header: (*header).to_owned(), reason });
    }
    Ok(())
}

/// Whether the text is a token of RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn hex_digits(value: u64) -> [u8; UNIQUE_DIGITS] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; UNIQUE_DIGITS];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(value.to_be_bytes()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(parts: &Parts<'_>, unique: u64) -> String {
        let mut wire = Vec::new();
        Request::new(parts).expect("valid parts").render(unique, &mut wire);
        String::from_utf8(wire).expect("ASCII")
    }

    #[test]
    fn unique_values_stand_in_path_headers_and_body() {
        let parts = Parts {
            name: "register",
            method: "POST",
            path: "/users/${unique}",
            headers: &[("idempotency-key", "k-${unique}")],
            body: br#"{"email":"a-${unique}@b-${unique}"}"#,
            ..Parts::default()
        };
        assert_eq!(
            render(&parts, 0x0123_4567_89ab_cdef),
            "POST /users/0123456789abcdef HTTP/1.1\r\nhost: localhost\r\nidempotency-key: k-0123456789abcdef\r\n\
             content-length: 49\r\n\r\n{\"email\":\"a-0123456789abcdef@b-0123456789abcdef\"}"
        );
    }

    #[test]
    fn a_given_host_replaces_the_default_and_a_get_has_no_length() {
        let parts = Parts { method: "GET", path: "/", headers: &[("Host", "shop")], ..Parts::default() };
        assert_eq!(render(&parts, 0), "GET / HTTP/1.1\r\nHost: shop\r\n\r\n");
    }

    #[test]
    fn an_empty_post_says_so() {
        let parts = Parts { method: "POST", path: "/", ..Parts::default() };
        assert_eq!(render(&parts, 0), "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n");
    }

    #[test]
    fn parts_that_would_break_the_framing_are_refused() {
        let good = Parts { name: "r", method: "GET", path: "/", ..Parts::default() };
        for (bad, message) in [
            (Parts { method: "GE T", ..good.clone() }, "\"GE T\" is not a method"),
            (Parts { path: "/a b", ..good.clone() }, "\"/a b\" is not a path"),
            (Parts { path: "a", ..good.clone() }, "\"a\" is not a path"),
            (Parts { headers: &[("x", "a\r\nb: c")], ..good.clone() }, "control characters"),
            (Parts { headers: &[("x y", "a")], ..good.clone() }, "not a token"),
            (Parts { headers: &[("Content-Length", "3")], ..good.clone() }, "is computed"),
        ] {
            let error = Request::new(&bad).expect_err("must be refused").to_string();
            assert!(error.starts_with("request r: ") && error.contains(message), "{error}");
        }
    }

    #[test]
    fn the_first_missing_part_of_a_body_is_named() {
        let expect = Expect { status: 200, contains: vec![b"one".to_vec(), b"two".to_vec()] };
        let request =
            Request::new(&Parts { method: "GET", path: "/", expect, ..Parts::default() }).expect("valid parts");
        assert_eq!(request.missing_in(b"two one"), None);
        assert_eq!(request.missing_in(b"one"), Some(b"two".as_slice()));
    }
}
