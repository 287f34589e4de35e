//! Capturing and refunding.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use service_kit::store::Decision;
use service_kit::{Json, Money, Problem, Segment, Store, random_id, unix_seconds};

use crate::payment::{Kind, Operation, Payment, Refused, Request};
use crate::{Service, checked_key, idempotency, key_reused, unknown_payment};

/// The body of a capture or a refund.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Movement {
    amount: Money,
}

/// The answer: only what never changes, so that it is the same at each repetition.
#[derive(Serialize)]
struct Moved<'a> {
    id: &'a str,
    payment: &'a str,
    kind: Kind,
    amount: Money,
    at: u64,
}

/// `POST /payments/{id}/captures`.
pub async fn capture<S: Store>(
    service: State<Service<S>>,
    id: Segment,
    headers: HeaderMap,
    body: Json<Movement>,
) -> Result<Response, Problem> {
    apply(service, id, &headers, body, Kind::Capture).await
}

/// `POST /payments/{id}/refunds`.
pub async fn refund<S: Store>(
    service: State<Service<S>>,
    id: Segment,
    headers: HeaderMap,
    body: Json<Movement>,
) -> Result<Response, Problem> {
    apply(service, id, &headers, body, Kind::Refund).await
}

/// Takes the decision and writes its entry in the ledger by one compare-and-swap of the payment's record.
async fn apply<S: Store>(
    State(service): State<Service<S>>,
    Segment(payment): Segment,
    headers: &HeaderMap,
    Json(Movement { amount }): Json<Movement>,
    kind: Kind,
) -> Result<Response, Problem> {
    let idempotency_key = idempotency::key(headers)?;
    let (id, at) = (random_id(), unix_seconds());
    let request = Request { id: &id, idempotency_key, kind, amount, at };
    let operation: Operation = service
        .store
        .update(&checked_key(&payment)?, |record: Option<Payment>| {
            let mut record = record.ok_or_else(unknown_payment)?;
            let (place, is_new) = record.apply(request).map_err(refusal)?;
            let operation = record.operations[place].clone();
            Ok::<_, Problem>(if is_new { Decision::Write(record, operation) } else { Decision::Keep(operation) })
        })
        .await?;
    let Operation { id, kind, minor, at, .. } = &operation;
    let amount = Money { minor: *minor, ..amount };
    let body = Moved { id, payment: &payment, kind: *kind, amount, at: *at };
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

fn refusal(refused: Refused) -> Problem {
    let detail = refused.to_string();
    match refused {
        Refused::KeyReused => key_reused(),
        Refused::Currency => Problem::invalid("currency-mismatch", detail),
        Refused::Nothing => Problem::invalid("invalid-amount", detail),
        Refused::TooMuch(_) => Problem::conflict("amount-exceeds-what-is-left", detail),
        Refused::TooMany => Problem::conflict("too-many-operations", detail),
    }
}
