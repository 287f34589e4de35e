//! The ledger, as it is read.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{authorised, eur, get, new_payment, post, service};

#[tokio::test]
async fn a_payments_entries_balance() {
    let service = service();
    let payment = authorised(&service, "k", 10_000).await;
    post(&service, &format!("{payment}/captures"), "c", &eur(10_000)).await;
    post(&service, &format!("{payment}/refunds"), "r", &eur(4_000)).await;
    let (status, books) = get(&service, &format!("{payment}/ledger")).await;
    assert_eq!((status, &books["balanced"]), (StatusCode::OK, &json!(true)));
    assert_eq!(
        books["balances"],
        json!({ "EUR": {
            "scheme_receivable": { "debit": 10_000, "credit": 4_000 },
            "merchant_payable": { "debit": 4_000, "credit": 9_850 },
            "fee_revenue": { "debit": 0, "credit": 150 },
        } })
    );
    let kinds: Vec<&Value> = books["entries"].as_array().unwrap().iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["capture", "refund"]);
}

#[tokio::test]
async fn an_authorisation_alone_moves_nothing() {
    let service = service();
    let payment = authorised(&service, "k", 100).await;
    let (_, books) = get(&service, &format!("{payment}/ledger")).await;
    assert_eq!(books, json!({ "entries": [], "balances": {}, "balanced": true }));
}

#[tokio::test]
async fn a_merchants_ledger_has_every_payment_once_by_pages_and_currencies() {
    let service = service();
    for number in 0..25 {
        let mut new = new_payment(100);
        let currency = if number % 2 == 0 { "EUR" } else { "JPY" };
        new["amount"]["currency"] = json!(currency);
        let (_, payment) = post(&service, "/payments", &format!("k{number}"), &new).await;
        let path = format!("/payments/{}/captures", payment["id"].as_str().unwrap());
        let amount = json!({ "amount": { "minor": 100, "currency": currency } });
        assert_eq!(post(&service, &path, "c", &amount).await.0, StatusCode::CREATED);
    }
    let (mut captured, mut next) = (0, Some("/merchants/shop/ledger".to_owned()));
    while let Some(path) = next {
        let (status, books) = get(&service, &path).await;
        assert_eq!((status, &books["balanced"]), (StatusCode::OK, &json!(true)));
        for currency in ["EUR", "JPY"] {
            captured += books["balances"][currency]["scheme_receivable"]["debit"].as_u64().unwrap();
        }
        next = books["next"].as_str().map(ToOwned::to_owned);
    }
    assert_eq!(captured, 2_500);
    let (_, none) = get(&service, "/merchants/nobody/ledger").await;
    assert_eq!(none, json!({ "entries": [], "balances": {}, "balanced": true }));
}
