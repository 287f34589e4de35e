//! The intruder: no service, but built, packed and run as the services are, to try from inside what isolation should
//! prevent.
//!
//! - `GET /deeds/{deed}?with=VALUE` tries a deed and answers `{"done":…,"how":"…"}`: whether it could be done, and how it
//!   went.
//!
//! It has no `scenario.toml`, so that nothing measures it.

mod deeds;

use axum::Router;
use axum::http::Uri;
use axum::routing::get;
use serde::Serialize;
use service_kit::{ConfigError, Json, Problem, Segment, Store, compute, with_common_routes};

use deeds::Deed;

/// The service. It has no settings and keeps nothing.
///
/// # Errors
/// None.
pub fn app<S: Store>(_: S) -> Result<Router, ConfigError> {
    Ok(with_common_routes("intruder", Router::new().route("/deeds/{deed}", get(attempt))))
}

/// How an attempt went.
#[derive(Serialize)]
struct Attempt {
    done: bool,
    how: String,
}

async fn attempt(Segment(name): Segment, uri: Uri) -> Result<Json<Attempt>, Problem> {
    let query = uri.query().unwrap_or_default().as_bytes();
    let with = form_urlencoded::parse(query).find(|(name, _)| name == "with").map(|(_, value)| value.into_owned());
    let deed = Deed::read(&name, with.as_deref().unwrap_or_default())?;
    let tried = compute(move || deed.attempt()).await??;
    let done = tried.is_ok();
    let (Ok(how) | Err(how)) = tried;
    Ok(Json(Attempt { done, how }))
}
