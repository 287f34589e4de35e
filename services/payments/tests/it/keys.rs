//! Idempotency: what is sent twice happens once.

use axum::http::{Method, StatusCode};
use serde_json::json;
use service_kit::store::{Memory, Store};

use crate::{CARD, KEY, authorised, call, eur, get, new_payment, post, service};

#[tokio::test]
async fn the_same_request_under_the_same_key_gets_the_same_answer_even_later() {
    let service = service();
    let first = post(&service, "/payments", "k", &new_payment(100)).await;
    let payment = authorised(&service, "k", 100).await;
    let capture = post(&service, &format!("{payment}/captures"), "c", &eur(60)).await;
    let refund = post(&service, &format!("{payment}/refunds"), "r", &eur(10)).await;
    let limits = json!({ "per_payment": {} });
    call(&service, Method::PUT, "/merchants/shop/limits", None, Some(&limits)).await;
    assert_eq!(post(&service, "/payments", "k", &new_payment(100)).await, first);
    assert_eq!(post(&service, &format!("{payment}/captures"), "c", &eur(60)).await, capture);
    assert_eq!(post(&service, &format!("{payment}/refunds"), "r", &eur(10)).await, refund);
    let view = get(&service, &payment).await.1;
    assert_eq!((&view["captured"], &view["refunded"]), (&json!(60), &json!(10)));
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let service = service();
    let payment = authorised(&service, "k", 100).await;
    let kind = json!("urn:problem-type:idempotency-key-reused");
    let mut other_card = new_payment(100);
    other_card["card"]["number"] = json!("5555555555554444");
    for body in [new_payment(101), other_card] {
        let (status, problem) = post(&service, "/payments", "k", &body).await;
        assert_eq!((status, &problem["type"]), (StatusCode::UNPROCESSABLE_ENTITY, &kind));
    }
    post(&service, &format!("{payment}/captures"), "c", &eur(60)).await;
    for (path, minor) in [("captures", 61), ("refunds", 60)] {
        let (status, problem) = post(&service, &format!("{payment}/{path}"), "c", &eur(minor)).await;
        assert_eq!((status, &problem["type"]), (StatusCode::UNPROCESSABLE_ENTITY, &kind));
    }
}

#[tokio::test]
async fn a_key_is_one_merchants() {
    let service = service();
    let mine = authorised(&service, "k", 100).await;
    let mut other = new_payment(200);
    other["merchant"] = json!("other");
    let (status, payment) = post(&service, "/payments", "k", &other).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_ne!(mine, format!("/payments/{}", payment["id"].as_str().unwrap()));
}

#[tokio::test]
async fn a_request_without_a_key_is_refused() {
    let service = service();
    let payment = authorised(&service, "k", 100).await;
    for (path, body) in [("/payments", new_payment(1)), (&*format!("{payment}/captures"), eur(1))] {
        let status = call(&service, Method::POST, path, None, Some(&body)).await.status();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_under_one_key_make_one_payment_and_one_capture() {
    let service = service();
    let tries: Vec<_> = (0..32)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(async move {
                let payment = authorised(&service, "k", 100).await;
                let (status, capture) = post(&service, &format!("{payment}/captures"), "c", &eur(10)).await;
                assert_eq!(status, StatusCode::CREATED);
                (payment, capture["id"].clone())
            })
        })
        .collect();
    let mut seen = Vec::new();
    for one in tries {
        seen.push(one.await.unwrap());
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
    assert_eq!(get(&service, &seen[0].0).await.1["captured"], 10);
    // However often it was listed, it stands in the books once.
    assert_eq!(get(&service, "/merchants/shop/ledger").await.1["entries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn no_record_holds_a_card_number() {
    let store = Memory::default();
    let service = service_payments::router(store.clone(), KEY);
    let payment = authorised(&service, "k", 100).await;
    let id = payment.rsplit('/').next().unwrap();
    let record = store.get(&format!("payments/payment/{id}")).await.unwrap().unwrap();
    let record = String::from_utf8(record).unwrap();
    assert!(record.contains("4242") && !record.contains(CARD), "{record}");
}
