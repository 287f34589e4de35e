//! The auth service: it registers users, logs them in, and tells whether a token is good.
//!
//! - `POST /users` with an e-mail address and a password registers a user.
//! - `POST /sessions` with the same logs in, and answers a signed token.
//! - `GET /session` with the token as bearer verifies it and says whose it is. It asks no store: the signature is the
//!   proof.
//!
//! The only record is the user's, under the address. One compare-and-swap writes it, so an address has one user however
//! many register it at once.

mod email;
mod password;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use service_kit::store::Decision;
use service_kit::{ConfigError, Json, Problem, Store, compute, random_id, secret, unix_seconds, with_common_routes};

use email::Email;
use password::Password;
use token::{LIFETIME_SECONDS, Tokens};

/// The service with the signing key from `AUTH_SIGNING_KEY`.
///
/// # Errors
/// When the key is missing or too short.
pub fn app<S: Store>(store: S) -> Result<Router, ConfigError> {
    Ok(router(store, &secret("AUTH_SIGNING_KEY")?))
}

/// The service with a signing key.
pub fn router<S: Store>(store: S, signing_key: &[u8]) -> Router {
    let service = Service { store, tokens: Arc::new(Tokens::new(signing_key)) };
    let router = Router::new()
        .route("/users", post(register::<S>))
        .route("/sessions", post(log_in::<S>))
        .route("/session", get(verify::<S>))
        .with_state(service);
    with_common_routes("auth", router)
}

#[derive(Clone)]
struct Service<S> {
    store: S,
    tokens: Arc<Tokens>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    email: String,
    password: Password,
}

/// What the store keeps of a user.
#[derive(Serialize, Deserialize)]
struct User {
    id: String,
    email: Email,
    password_hash: String,
    created_at: u64,
}

#[derive(Serialize)]
struct Registered {
    id: String,
    email: Email,
    created_at: u64,
}

#[derive(Serialize)]
struct LoggedIn {
    token: String,
    token_type: &'static str,
    expires_in: u32,
}

#[derive(Serialize)]
struct Verified {
    user: String,
    issued_at: u64,
    expires_at: u64,
}

async fn register<S: Store>(
    State(service): State<Service<S>>,
    Json(Credentials { email, password }): Json<Credentials>,
) -> Result<(StatusCode, Json<Registered>), Problem> {
    let email = Email::parse(&email)
        .ok_or_else(|| Problem::invalid("invalid-email", "The e-mail address is not one that mail can be sent to."))?;
    if !password.is_acceptable() {
        return Err(Problem::invalid("invalid-password", "A password has 8 to 128 characters."));
    }
    let key = user_key(&email);
    // Asked first, since the hash is dear; what counts is the compare-and-swap below.
    if service.store.get(&key).await?.is_some() {
        return Err(taken());
    }
    let password_hash = compute(move || password.hash()).await?.ok_or_else(Problem::internal)?;
    let (id, created_at) = (random_id(), unix_seconds());
    service
        .store
        .update(&key, |existing: Option<User>| match existing {
            Some(_) => Err(taken()),
            None => {
                let (id, email, password_hash) = (id.clone(), email.clone(), password_hash.clone());
                Ok(Decision::Write(User { id, email, password_hash, created_at }, ()))
            }
        })
        .await?;
    Ok((StatusCode::CREATED, Json(Registered { id, email, created_at })))
}

async fn log_in<S: Store>(
    State(service): State<Service<S>>,
    Json(Credentials { email, password }): Json<Credentials>,
) -> Result<(StatusCode, Json<LoggedIn>), Problem> {
    let user: Option<User> = match Email::parse(&email) {
        Some(email) => service.store.read(&user_key(&email)).await?,
        None => None,
    };
    let (id, hash) = user.map(|user| (user.id, user.password_hash)).unzip();
    let matches = compute(move || password.matches(hash.as_deref())).await?;
    // One answer for an unknown user and a wrong password: it must not tell who has an account.
    let id = id.filter(|_| matches).ok_or_else(|| {
        Problem::of_kind(
            StatusCode::UNAUTHORIZED,
            "invalid-credentials",
            "There is no user with this e-mail address and this password.",
        )
        .with_challenge("Bearer")
    })?;
    let token = service.tokens.issue(&id, unix_seconds()).ok_or_else(Problem::internal)?;
    Ok((StatusCode::CREATED, Json(LoggedIn { token, token_type: "Bearer", expires_in: LIFETIME_SECONDS })))
}

async fn verify<S: Store>(State(service): State<Service<S>>, headers: HeaderMap) -> Result<Json<Verified>, Problem> {
    let token = bearer(&headers).ok_or_else(|| {
        Problem::new(StatusCode::UNAUTHORIZED, "Send the token in the header: authorization: Bearer <token>.")
            .with_challenge("Bearer")
    })?;
    let session = service.tokens.verify(token, unix_seconds()).map_err(|_| {
        Problem::of_kind(StatusCode::UNAUTHORIZED, "invalid-token", "The token is not good, or not any more.")
            .with_challenge(r#"Bearer error="invalid_token""#)
    })?;
    Ok(Json(Verified { user: session.user, issued_at: session.issued_at, expires_at: session.expires_at }))
}

/// The token of an `Authorization: Bearer` header (RFC 6750, section 2.1). The scheme's name has no case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn taken() -> Problem {
    Problem::conflict("email-taken", "There is a user with this e-mail address already.")
}

fn user_key(email: &Email) -> String {
    format!("auth/user/{}", email.as_str())
}
