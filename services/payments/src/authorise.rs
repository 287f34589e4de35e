//! Authorising a payment.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use service_kit::store::Decision;
use service_kit::{Json, Money, Problem, Store, unix_seconds};

use crate::card::{Card, MaskedCard, YearMonth};
use crate::limits::Limits;
use crate::payment::Payment;
use crate::{Service, checked_merchant, idempotency, key_reused, payment_key, payments_of};

/// The body of `POST /payments`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPayment {
    merchant: String,
    amount: Money,
    card: Card,
}

/// The answer: only what never changes, so that it is the same at each repetition.
#[derive(Serialize)]
struct Authorised<'a> {
    id: &'a str,
    status: &'static str,
    merchant: &'a str,
    amount: Money,
    card: &'a MaskedCard,
    created_at: u64,
}

/// `POST /payments`.
///
/// The payment's name follows from the merchant and the idempotency key, so its record is the whole decision: the one
/// compare-and-swap that writes it either finds nothing there or the first answer to the same key.
pub async fn authorise<S: Store>(
    State(service): State<Service<S>>,
    headers: HeaderMap,
    Json(NewPayment { merchant, amount, card }): Json<NewPayment>,
) -> Result<Response, Problem> {
    let key = idempotency::key(&headers)?;
    let merchant = checked_merchant(merchant)?;
    let masked = card.check().map_err(|invalid| Problem::invalid("invalid-card", invalid.to_string()))?;
    if amount.minor == 0 {
        return Err(Problem::invalid("invalid-amount", "The amount must be at least 1 minor unit."));
    }
    let id = service.hash.payment_id(&merchant, key);
    let fingerprint = fingerprint(&service, amount, &card);
    if let Some(payment) = service.store.read::<Payment>(&payment_key(&id)).await? {
        return answer(&payment, &fingerprint);
    }
    let created_at = unix_seconds();
    if card.is_expired(YearMonth::of(created_at)) {
        return Err(Problem::invalid("card-expired", "The card has expired."));
    }
    Limits::of(&service.store, &merchant).await?.check(amount)?;
    // Listed first: a payment that exists is always in the merchant's ledger. What is listed twice, because two requests
    // under one key met here, counts on the page that the record names.
    let page = payments_of(&service.store, &merchant).append(&id).await?;
    let new = Payment { id, merchant, amount, card: masked, created_at, fingerprint, page, operations: Vec::new() };
    let payment = service
        .store
        .update(&payment_key(&new.id), |existing: Option<Payment>| {
            Ok::<_, Problem>(match existing {
                Some(payment) => Decision::Keep(payment),
                None => Decision::Write(new.clone(), new.clone()),
            })
        })
        .await?;
    answer(&payment, &new.fingerprint)
}

fn fingerprint<S>(service: &Service<S>, amount: Money, card: &Card) -> String {
    let [number, month, year] = card.to_hash();
    service.hash.fingerprint(&[&amount.minor.to_be_bytes(), amount.currency.code().as_bytes(), &number, &month, &year])
}

fn answer(payment: &Payment, fingerprint: &str) -> Result<Response, Problem> {
    if payment.fingerprint != fingerprint {
        return Err(key_reused());
    }
    let Payment { id, merchant, amount, card, created_at, .. } = payment;
    let location = [(LOCATION, format!("/payments/{id}"))];
    let body = Authorised { id, status: "authorised", merchant, amount: *amount, card, created_at: *created_at };
    Ok((StatusCode::CREATED, location, Json(body)).into_response())
}
