//! The payments service as its callers see it: requests in, answers out, in this process.

mod books;
mod keys;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use service_kit::store::Memory;
use tower::ServiceExt;

const KEY: &[u8] = b"a key of this test, thirty-two bytes";
const CARD: &str = "4242424242424242";

fn service() -> Router {
    service_payments::router(Memory::default(), KEY)
}

async fn call(service: &Router, method: Method, path: &str, key: Option<&str>, body: Option<&Value>) -> Response {
    let mut request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let body = body.map_or_else(Body::empty, |body| body.to_string().into());
    service.clone().oneshot(request.body(body).unwrap()).await.unwrap()
}

async fn answer(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let expected = if status.is_success() { "application/json" } else { "application/problem+json" };
    assert_eq!(response.headers()[CONTENT_TYPE], expected);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(!text.contains(CARD), "an answer shows a card number: {text}");
    (status, serde_json::from_str(&text).unwrap())
}

async fn get(service: &Router, path: &str) -> (StatusCode, Value) {
    answer(call(service, Method::GET, path, None, None).await).await
}

async fn post(service: &Router, path: &str, key: &str, body: &Value) -> (StatusCode, Value) {
    answer(call(service, Method::POST, path, Some(key), Some(body)).await).await
}

fn eur(minor: u64) -> Value {
    json!({ "amount": { "minor": minor, "currency": "EUR" } })
}

fn new_payment(minor: u64) -> Value {
    json!({
        "merchant": "shop",
        "amount": { "minor": minor, "currency": "EUR" },
        "card": { "number": CARD, "exp_month": 12, "exp_year": 2099 },
    })
}

async fn authorised(service: &Router, key: &str, minor: u64) -> String {
    let (status, payment) = post(service, "/payments", key, &new_payment(minor)).await;
    assert_eq!((status, &payment["status"]), (StatusCode::CREATED, &json!("authorised")));
    format!("/payments/{}", payment["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_payment_is_authorised_captured_and_refunded() {
    let service = service();
    let payment = authorised(&service, "k", 10_000).await;
    let (status, capture) = post(&service, &format!("{payment}/captures"), "c", &eur(6_000)).await;
    assert_eq!((status, &capture["amount"]["minor"]), (StatusCode::CREATED, &json!(6_000)));
    let (status, _) = post(&service, &format!("{payment}/refunds"), "r", &eur(1_000)).await;
    assert_eq!(status, StatusCode::CREATED);
    let (_, view) = get(&service, &payment).await;
    assert_eq!((&view["captured"], &view["refunded"]), (&json!(6_000), &json!(1_000)));
    assert_eq!(view["status"], "partly_refunded");
    assert_eq!(view["card"], json!({ "brand": "visa", "last4": "4242" }));
}

#[tokio::test]
async fn no_more_is_captured_than_authorised_and_no_more_refunded_than_captured() {
    let service = service();
    let payment = authorised(&service, "k", 100).await;
    let kind = json!("urn:problem-type:amount-exceeds-what-is-left");
    let (status, problem) = post(&service, &format!("{payment}/refunds"), "r", &eur(1)).await;
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &kind));
    let (status, problem) = post(&service, &format!("{payment}/captures"), "c", &eur(101)).await;
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &kind));
    post(&service, &format!("{payment}/captures"), "c", &eur(60)).await;
    let (status, problem) = post(&service, &format!("{payment}/refunds"), "r", &eur(61)).await;
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &kind));
    let view = get(&service, &payment).await.1;
    assert_eq!((&view["captured"], &view["refunded"]), (&json!(60), &json!(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_refunds_at_once_never_exceed_what_was_captured() {
    let service = service();
    let payment = authorised(&service, "k", 100).await;
    post(&service, &format!("{payment}/captures"), "c", &eur(100)).await;
    let tries: Vec<_> = (0..32)
        .map(|number| {
            let (service, path) = (service.clone(), format!("{payment}/refunds"));
            tokio::spawn(async move { post(&service, &path, &format!("r{number}"), &eur(7)).await.0 })
        })
        .collect();
    let mut done = 0;
    for one in tries {
        match one.await.unwrap() {
            StatusCode::CREATED => done += 1,
            status => assert_eq!(status, StatusCode::CONFLICT),
        }
    }
    assert_eq!(done, 14, "14 times 7 is the most that 100 hold");
    assert_eq!(get(&service, &payment).await.1["refunded"], 98);
}

#[tokio::test]
async fn limits_are_the_merchants_own() {
    let service = service();
    let limits = "/merchants/shop/limits";
    assert_eq!(get(&service, limits).await.1["per_payment"]["EUR"], 1_000_000);
    let own = json!({ "per_payment": { "EUR": 500 } });
    let (status, answered) = answer(call(&service, Method::PUT, limits, None, Some(&own)).await).await;
    assert_eq!((status, &answered), (StatusCode::OK, &own));
    authorised(&service, "k1", 500).await;
    let (status, problem) = post(&service, "/payments", "k2", &new_payment(501)).await;
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("urn:problem-type:limit-exceeded"))
    );
    let mut dollars = new_payment(1);
    dollars["amount"]["currency"] = json!("USD");
    let (_, problem) = post(&service, "/payments", "k2", &dollars).await;
    assert_eq!(problem["type"], "urn:problem-type:currency-not-taken");
    for wrong in [json!({ "per_payment": { "XXX": 1 } }), json!({ "per_payment": { "EUR": 1_u64 << 53 } }), json!({})] {
        let status = call(&service, Method::PUT, limits, None, Some(&wrong)).await.status();
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
}

#[tokio::test]
async fn bad_payments_are_refused() {
    let service = service();
    let with = |pointer: &str, value: Value| {
        let mut payment = new_payment(100);
        *payment.pointer_mut(pointer).unwrap() = value;
        payment
    };
    for (body, kind) in [
        (with("/card/number", json!("4242424242424241")), "invalid-card"),
        (with("/card/number", json!("4242")), "invalid-card"),
        (with("/card/number", json!(4_242_424_242_424_242_u64)), "invalid-body"),
        (with("/card/exp_month", json!(13)), "invalid-card"),
        (with("/card/exp_year", json!(2020)), "card-expired"),
        (with("/amount/minor", json!(0)), "invalid-amount"),
        (with("/amount/minor", json!(-1)), "invalid-body"),
        (with("/amount/minor", json!(1.5)), "invalid-body"),
        (with("/amount/minor", json!(1_000_001)), "limit-exceeded"),
        (with("/amount/currency", json!("XAU")), "invalid-body"),
        (with("/merchant", json!("a/b")), "invalid-merchant"),
    ] {
        let (status, problem) = post(&service, "/payments", "k", &body).await;
        let expected = format!("urn:problem-type:{kind}");
        assert_eq!((status, problem["type"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some(&*expected)), "{kind}");
    }
    // None of them has used up the key.
    authorised(&service, "k", 100).await;
}

#[tokio::test]
async fn a_movement_is_in_the_payments_currency() {
    let service = service();
    let payment = authorised(&service, "k", 100).await;
    let dollars = json!({ "amount": { "minor": 1, "currency": "USD" } });
    let (status, problem) = post(&service, &format!("{payment}/captures"), "c", &dollars).await;
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("urn:problem-type:currency-mismatch"))
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let service = service();
    let nobody = "/payments/00000000000000000000000000000000";
    for path in [nobody, "/payments/x", "/payments/00000000000000000000000000000000/ledger", "/merchants/shop"] {
        assert_eq!(get(&service, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(post(&service, &format!("{nobody}/captures"), "c", &eur(1)).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_service_says_that_it_is_well() {
    assert_eq!(get(&service(), "/healthz").await, (StatusCode::OK, json!({ "status": "ok", "service": "payments" })));
}
