//! Answers that say what is wrong: `application/problem+json` of RFC 9457.

use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::json::drain;
use crate::store::StoreError;

/// A refusal or a failure, as the caller gets to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    kind: Option<&'static str>,
    detail: String,
    challenge: Option<&'static str>,
}

/// The members of the answer; `type` is left out where it would be `about:blank`, as RFC 9457 has it.
#[derive(Serialize)]
struct Members<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl Problem {
    /// A problem that HTTP's own status tells fully.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, kind: None, detail: detail.into(), challenge: None }
    }

    /// A problem of the service's domain. `kind` names it for programs and becomes `urn:problem-type:<kind>`.
    pub fn of_kind(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { kind: Some(kind), ..Self::new(status, detail) }
    }

    /// Status 400: the request does not have the form that HTTP or JSON demands.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// Status 404: there is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// Status 422: well-formed, but against a rule of the service.
    pub fn invalid(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::of_kind(StatusCode::UNPROCESSABLE_ENTITY, kind, detail)
    }

    /// Status 409: against the present state of the thing.
    pub fn conflict(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::of_kind(StatusCode::CONFLICT, kind, detail)
    }

    /// Status 500, without the cause, which is nothing for the caller to know.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The service failed.")
    }

    /// Adds the challenge of RFC 9110, section 11.6.1, that a 401 must carry.
    #[must_use]
    pub fn with_challenge(mut self, challenge: &'static str) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The name of the problem, where it is one of the domain.
    pub fn kind(&self) -> Option<&'static str> {
        self.kind
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let members = Members {
            kind: self.kind.map(|kind| format!("urn:problem-type:{kind}")),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
        };
        // Strings and a number always serialize.
        let body = serde_json::to_vec(&members).unwrap_or_default();
        let mut response = (self.status, [(CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = match error {
            StoreError::Contended => "Too many requests change the same record; try again.",
            StoreError::NoSuchStore | StoreError::AccessDenied | StoreError::Corrupt(_) | StoreError::Other(_) => {
                "The store of the service does not work."
            }
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }
}

/// Answers every path that a service does not have.
pub(crate) async fn unknown_path(request: Request) -> Problem {
    let problem = Problem::not_found(format!("There is nothing at {}.", request.uri().path()));
    drain(request.into_body()).await;
    problem
}

/// Answers every method that a path does not have.
pub(crate) async fn unknown_method(request: Request) -> Problem {
    drain(request.into_body()).await;
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "The path is right, but the method is not among those it allows.")
}
