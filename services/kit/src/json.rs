//! JSON in and out, and the query of a listing.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::{MAX_BODY, Problem};

/// A body of JSON: what a handler takes, and what it answers. What is no JSON, or not of the type, is refused with a
/// [`Problem`] before the handler runs.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            drain(request.into_body()).await;
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be JSON; send it with the header content-type: application/json.",
            ));
        }
        let body = whole(request.into_body()).await?;
        serde_json::from_slice(&body).map(Self).map_err(|error| refusal(&error))
    }
}

fn refusal(error: &serde_json::Error) -> Problem {
    match error.classify() {
        Category::Data => Problem::invalid("invalid-body", format!("The body is not as documented: {}.", told(error))),
        Category::Io | Category::Syntax | Category::Eof => {
            Problem::bad_request(format!("The body is not JSON: {error}."))
        }
    }
}

/// Reads a body of at most [`MAX_BODY`] bytes.
///
/// The limit is here and not in a layer of the router: as a component, the router is made anew for each request, and a
/// layer is wrapped around every route of it.
async fn whole(body: Body) -> Result<Bytes, Problem> {
    to_bytes(body, MAX_BODY).await.map_err(|error| {
        let too_long = std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
        if too_long {
            let detail = format!("The body is longer than the {MAX_BODY} bytes allowed.");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        } else {
            Problem::bad_request("The body of the request broke off.")
        }
    })
}

/// Reads the body of a request that is refused without it. A connection cannot be used again while there is a body
/// unread on it, so it would be closed, and a request that its caller has just sent on it would be lost.
pub(crate) async fn drain(body: Body) {
    // What is longer than the limit, or breaks off, does cost the connection.
    let _ = whole(body).await;
}

/// What may be told of an error. serde's messages quote the value that is wrong, as in "invalid type: integer `4111`,
/// expected a string": that value can be a password or a card number, which no answer repeats.
fn told(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let own = ["missing field", "duplicate field"];
    match message.rfind(", expected ") {
        _ if own.iter().any(|start| message.starts_with(start)) => message,
        Some(place) => message[place + 2..].to_owned(),
        None => format!("wrong value at line {} column {}", error.line(), error.column()),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
            Err(_) => Problem::internal().into_response(),
        }
    }
}

/// The page of a listing that a query asks for by `page=N`; the first, 0, when it does not.
///
/// # Errors
/// When the number is none, or there is another parameter.
pub fn page(uri: &Uri) -> Result<u64, Problem> {
    let mut page = 0;
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if name != "page" {
            return Err(Problem::bad_request(format!("There is no parameter '{name}'; a listing has 'page'.")));
        }
        page = value.parse().map_err(|_| Problem::bad_request(format!("'{value}' is not the number of a page.")))?;
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_query_is_read() {
        let page = |text: &str| super::page(&text.parse().unwrap()).map_err(|problem| problem.status());
        assert_eq!(page("/x"), Ok(0));
        assert_eq!(page("/x?page=7"), Ok(7));
        assert_eq!(page("/x?page=-1"), Err(StatusCode::BAD_REQUEST));
        assert_eq!(page("/x?page=99999999999999999999"), Err(StatusCode::BAD_REQUEST));
        assert_eq!(page("/x?size=9"), Err(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn a_refusal_says_what_is_wrong_without_the_value() {
        let told = |body: &str| super::told(&serde_json::from_str::<crate::Money>(body).unwrap_err());
        assert_eq!(told(r#"{"minor":1}"#), "missing field `currency` at line 1 column 11");
        assert_eq!(told(r#"{"minor":"4111","currency":"EUR"}"#), "expected u64 at line 1 column 15");
        assert_eq!(told(r#"{"minor":-4111,"currency":"EUR"}"#), "expected u64 at line 1 column 14");
        assert!(told(r#"{"minor":1,"currency":"4111"}"#).starts_with("expected one of `CHF`, `EUR`,"));
        assert!(told(r#"{"4111":1}"#).starts_with("expected `minor` or `currency`"));
    }

    #[test]
    fn the_type_of_a_body_is_read_without_its_parameters() {
        let is_json = |value: &str| super::is_json(&HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]));
        assert!(is_json("application/json"));
        assert!(is_json("Application/JSON; charset=utf-8"));
        assert!(!is_json("application/jsonp"));
        assert!(!is_json("text/plain"));
        assert!(!super::is_json(&HeaderMap::new()));
    }
}
