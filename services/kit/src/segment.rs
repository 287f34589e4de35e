//! The variable part of a path.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::Problem;

/// The one variable segment of a route's path, decoded. What does not decode to text is refused with a [`Problem`].
#[derive(Debug)]
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(text)| Self(text)).map_err(|_| Problem::bad_request("The path does not decode to UTF-8 text."))
    }
}
