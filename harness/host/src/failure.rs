//! Why a component did not answer, and what the host answers instead.

use anyhow::Error;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

/// Why a component did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It ended in the middle, or the host could not begin.
    #[error("the component failed: {0:#}")]
    Trapped(Error),
    /// It ended after it had been refused memory.
    #[error(
        "the component failed after it had asked for more than the {limit} bytes of memory that it may have \
         (--memory-limit): {cause:#}"
    )]
    OutOfMemory {
        /// What it may have, in bytes.
        limit: usize,
        /// How it ended.
        cause: Error,
    },
    /// It ended after it had been refused elements of a table.
    #[error(
        "the component failed after it had asked for a table of more than the {limit} elements that it may have \
         (--table-elements): {cause:#}"
    )]
    OutOfTable {
        /// What it may have, in elements.
        limit: u32,
        /// How it ended.
        cause: Error,
    },
    /// It ran until its deadline.
    #[error("the component took longer than it may (--deadline)")]
    TooSlow,
    /// There was no permit to run before the deadline.
    #[error("the request waited for its turn until its deadline; more run at once than --max-instances allows")]
    TooBusy,
    /// It ended without an answer.
    #[error("the component ended without an answer")]
    NoAnswer,
    /// It answered that it cannot.
    #[error("the component answered with an error: {0}")]
    Refused(String),
    /// The body of the request is longer than it may be.
    #[error("the body of the request is longer than it may be (--max-body)")]
    BodyTooLong,
    /// The client stopped sending the body of the request.
    #[error("the body of the request stopped coming (--body-timeout)")]
    BodyStalled,
    /// The request is not one that a component can be given.
    #[error("the request is not valid: {0:#}")]
    BadRequest(Error),
}

impl Failure {
    /// Returns the status of the host's own answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Trapped(_)
            | Self::OutOfMemory { .. }
            | Self::OutOfTable { .. }
            | Self::NoAnswer
            | Self::Refused(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TooSlow => StatusCode::GATEWAY_TIMEOUT,
            Self::TooBusy => StatusCode::SERVICE_UNAVAILABLE,
            Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyStalled => StatusCode::REQUEST_TIMEOUT,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether it is the client's doing, which is not worth a line in the log.
    pub fn is_of_the_client(&self) -> bool {
        matches!(self, Self::BodyTooLong | Self::BodyStalled | Self::BadRequest(_))
    }

    /// Makes the host's answer: `application/problem+json` (RFC 9457). What happened inside is for the log, not for clients.
    pub fn answer<B>(&self, body: impl FnOnce(Bytes) -> B) -> Response<B> {
        let status = self.status();
        let title = status.canonical_reason().unwrap_or_default();
        let problem = serde_json::json!({ "type": "about:blank", "title": title, "status": status.as_u16() });
        let mut response = Response::new(body(problem.to_string().into()));
        *response.status_mut() = status;
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if matches!(self, Self::BodyStalled) {
            // The rest of the request may still come, and would be taken for the next one (RFC 9110, section 15.5.9).
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
