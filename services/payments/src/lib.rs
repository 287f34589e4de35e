//! The payments service: it authorises payments by card, captures and refunds them, and keeps the books.
//!
//! - `POST /payments` authorises an amount; `GET /payments/{id}` reads the payment.
//! - `POST /payments/{id}/captures` and `POST /payments/{id}/refunds` move money.
//! - `GET /payments/{id}/ledger` and `GET /merchants/{merchant}/ledger?page=N` read the ledger.
//! - `GET` and `PUT /merchants/{merchant}/limits` are what a merchant takes per payment.
//!
//! Each request that moves money or promises it carries an idempotency key. A payment is one record, with its captures,
//! refunds, their keys and their entries in the ledger; every change of it is one compare-and-swap. So an operation and
//! its entry are both there or both not, wherever the process ends. A card's number is in no record and no answer.

mod authorise;
mod books;
mod card;
mod idempotency;
mod ledger;
mod limits;
mod movement;
mod payment;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use serde::Serialize;
use service_kit::{ConfigError, Json, Money, PagedIndex, Problem, Segment, Store, is_id, secret, with_common_routes};

use card::MaskedCard;
use idempotency::KeyedHash;
use payment::{Payment, Status};

/// The service with the key of its hashes from `PAYMENTS_HASH_KEY`.
///
/// # Errors
/// When the key is missing or too short.
pub fn app<S: Store>(store: S) -> Result<Router, ConfigError> {
    Ok(router(store, &secret("PAYMENTS_HASH_KEY")?))
}

/// The service with a key for its hashes.
pub fn router<S: Store>(store: S, hash_key: &[u8]) -> Router {
    let router = Router::new()
        .route("/payments", post(authorise::authorise::<S>))
        .route("/payments/{id}", get(read::<S>))
        .route("/payments/{id}/captures", post(movement::capture::<S>))
        .route("/payments/{id}/refunds", post(movement::refund::<S>))
        .route("/payments/{id}/ledger", get(books::of_payment::<S>))
        .route("/merchants/{merchant}/ledger", get(books::of_merchant::<S>))
        .route("/merchants/{merchant}/limits", get(limits::read::<S>).put(limits::replace::<S>))
        .with_state(Service { store, hash: KeyedHash::new(hash_key) });
    with_common_routes("payments", router)
}

#[derive(Clone)]
struct Service<S> {
    store: S,
    hash: KeyedHash,
}

/// A payment as it is now.
#[derive(Serialize)]
struct View {
    id: String,
    status: Status,
    merchant: String,
    amount: Money,
    captured: u64,
    refunded: u64,
    card: MaskedCard,
    created_at: u64,
}

async fn read<S: Store>(State(service): State<Service<S>>, Segment(id): Segment) -> Result<Json<View>, Problem> {
    let payment: Payment = service.store.read(&checked_key(&id)?).await?.ok_or_else(unknown_payment)?;
    let (status, captured, refunded) = (payment.status(), payment.captured(), payment.refunded());
    let Payment { id, merchant, amount, card, created_at, .. } = payment;
    Ok(Json(View { id, status, merchant, amount, captured, refunded, card, created_at }))
}

/// The merchant's name becomes part of keys and paths.
fn checked_merchant(merchant: String) -> Result<String, Problem> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if (1..=64).contains(&merchant.len()) && merchant.bytes().all(legal) {
        return Ok(merchant);
    }
    let detail = "A merchant's name has 1 to 64 characters, each a letter, a digit, '-' or '_'.";
    Err(Problem::invalid("invalid-merchant", detail))
}

fn unknown_payment() -> Problem {
    Problem::not_found("There is no payment of this id.")
}

fn key_reused() -> Problem {
    Problem::invalid("idempotency-key-reused", "The idempotency key was used for another request.")
}

fn checked_key(id: &str) -> Result<String, Problem> {
    if is_id(id) { Ok(payment_key(id)) } else { Err(unknown_payment()) }
}

fn payment_key(id: &str) -> String {
    format!("payments/payment/{id}")
}

fn payments_of<S: Store>(store: &S, merchant: &str) -> PagedIndex<S> {
    PagedIndex::new(store.clone(), format!("payments/merchant/{merchant}"))
}
