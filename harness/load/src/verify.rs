//! Whether an answer is right. Called when its time has been taken.

use crate::Request;
use crate::outcome::ErrorKind;

/// How much of a wrong body is shown, in bytes.
const EXCERPT: usize = 200;

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong<'a> {
    Status(u16),
    /// The body lacks this.
    Body(&'a [u8]),
}

/// Compares an answer with what the request expects.
pub(crate) fn check<'a>(request: &'a Request, status: u16, body: &[u8]) -> Result<(), Wrong<'a>> {
    if status != request.expect().status {
        return Err(Wrong::Status(status));
    }
    request.missing_in(body).map_or(Ok(()), |needle| Err(Wrong::Body(needle)))
}

impl Wrong<'_> {
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Status(_) => ErrorKind::Status,
            Self::Body(_) => ErrorKind::Body,
        }
    }

    /// In words: which request, what was expected, what came.
    pub(crate) fn describe(&self, request: &Request, body: &[u8]) -> String {
        let (name, got) = (request.name(), excerpt(body));
        match self {
            Self::Status(status) => {
                format!("{name}: expected status {}, got {status} with {got}", request.expect().status)
            }
            Self::Body(needle) => {
                format!("{name}: expected `{}` in the body, got {got}", String::from_utf8_lossy(needle))
            }
        }
    }
}

fn excerpt(body: &[u8]) -> String {
    if body.is_empty() {
        return "no body".to_owned();
    }
    let shown = String::from_utf8_lossy(&body[..body.len().min(EXCERPT)]).escape_debug().to_string();
    if body.len() > EXCERPT {
        format!("`{shown}` and {} bytes more", body.len() - EXCERPT)
    } else {
        format!("`{shown}`")
    }
}
