//! The orders service as its callers see it: requests in, answers out, in this process.

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use service_kit::store::{Memory, Store};
use tower::ServiceExt;

fn service() -> Router {
    service_orders::app(Memory::default()).unwrap()
}

async fn call(service: &Router, method: Method, path: &str, body: Option<&Value>) -> Response {
    let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
    let body = body.map_or_else(Body::empty, |body| body.to_string().into());
    service.clone().oneshot(request.body(body).unwrap()).await.unwrap()
}

async fn answer(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let expected = if status.is_success() { "application/json" } else { "application/problem+json" };
    assert_eq!(response.headers()[CONTENT_TYPE], expected);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

async fn get(service: &Router, path: &str) -> (StatusCode, Value) {
    answer(call(service, Method::GET, path, None).await).await
}

async fn post(service: &Router, path: &str, body: Value) -> (StatusCode, Value) {
    answer(call(service, Method::POST, path, Some(&body)).await).await
}

fn new_order(customer: &str) -> Value {
    json!({ "customer": customer, "currency": "EUR", "lines": [
        { "sku": "tea", "quantity": 3, "unit_price": 1999, "tax_basis_points": 1900 },
        { "sku": "pin", "quantity": 1, "unit_price": 50, "tax_basis_points": 700 },
    ] })
}

async fn created(service: &Router, customer: &str) -> String {
    let (status, order) = post(service, "/orders", new_order(customer)).await;
    assert_eq!(status, StatusCode::CREATED);
    order["id"].as_str().unwrap().to_owned()
}

async fn moved(service: &Router, id: &str, to: &str) -> (StatusCode, Value) {
    post(service, &format!("/orders/{id}/state"), json!({ "to": to })).await
}

#[tokio::test]
async fn an_order_is_priced_kept_and_found_where_it_is_said_to_be() {
    let service = service();
    let response = call(&service, Method::POST, "/orders", Some(&new_order("ann"))).await;
    let location = response.headers()[LOCATION].to_str().unwrap().to_owned();
    let (status, order) = answer(response).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(order["totals"], json!({ "net": 6047, "tax": 1143, "gross": 7190 }));
    assert_eq!(order["state"], "draft");
    assert_eq!(get(&service, &location).await, (StatusCode::OK, order));
}

#[tokio::test]
async fn an_order_moves_along_the_legal_path_only() {
    let service = service();
    let id = created(&service, "ann").await;
    let (status, problem) = moved(&service, &id, "shipped").await;
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &json!("urn:problem-type:illegal-transition")));
    for to in ["placed", "paid", "shipped", "delivered", "returned"] {
        let (status, order) = moved(&service, &id, to).await;
        assert_eq!((status, &order["state"]), (StatusCode::OK, &json!(to)));
        assert_eq!(moved(&service, &id, to).await.0, StatusCode::CONFLICT, "twice {to}");
    }
    assert_eq!(moved(&service, &id, "cancelled").await.0, StatusCode::CONFLICT);
    assert_eq!(moved(&service, &id, "lost").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(get(&service, &format!("/orders/{id}")).await.1["state"], "returned");
}

#[tokio::test]
async fn the_lines_of_a_draft_are_replaced_and_summed_up_anew() {
    let service = service();
    let id = created(&service, "ann").await;
    let path = format!("/orders/{id}/lines");
    let lines = json!({ "lines": [{ "sku": "cup", "quantity": 2, "unit_price": 500 }] });
    let (status, order) = answer(call(&service, Method::PUT, &path, Some(&lines)).await).await;
    assert_eq!((status, &order["totals"]), (StatusCode::OK, &json!({ "net": 1000, "tax": 0, "gross": 1000 })));
    let wrong = json!({ "lines": [] });
    assert_eq!(call(&service, Method::PUT, &path, Some(&wrong)).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    moved(&service, &id, "placed").await;
    let (status, problem) = answer(call(&service, Method::PUT, &path, Some(&lines)).await).await;
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &json!("urn:problem-type:not-a-draft")));
    assert_eq!(get(&service, &format!("/orders/{id}")).await.1["lines"], order["lines"]);
}

#[tokio::test]
async fn a_customers_orders_are_listed_by_pages_and_nobody_elses() {
    let service = service();
    let mut ids = Vec::new();
    for _ in 0..45 {
        ids.push(created(&service, "ann").await);
    }
    created(&service, "bob").await;
    let (mut listed, mut next) = (Vec::new(), Some("/customers/ann/orders".to_owned()));
    while let Some(path) = next {
        let (status, page) = get(&service, &path).await;
        assert_eq!(status, StatusCode::OK);
        let orders = page["orders"].as_array().unwrap();
        assert!(orders.len() <= 20);
        listed.extend(orders.iter().map(|order| order["id"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(ToOwned::to_owned);
    }
    assert_eq!(listed, ids);
    assert_eq!(get(&service, "/customers/cid/orders").await.1, json!({ "orders": [], "next": null }));
}

#[tokio::test]
async fn a_listing_skips_an_order_whose_making_was_cut_short() {
    let store = Memory::default();
    let service = service_orders::app(store.clone()).unwrap();
    let (lost, kept) = (created(&service, "ann").await, created(&service, "ann").await);
    store.delete(&format!("orders/order/{lost}")).await.unwrap();
    let (_, page) = get(&service, "/customers/ann/orders").await;
    assert_eq!(page["orders"].as_array().unwrap().len(), 1);
    assert_eq!(page["orders"][0]["id"], kept);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_move_an_order_at_once_one_does() {
    let service = service();
    let id = created(&service, "ann").await;
    let tries: Vec<_> = (0..32)
        .map(|number| {
            let (service, id) = (service.clone(), id.clone());
            tokio::spawn(
                async move { moved(&service, &id, if number % 2 == 0 { "placed" } else { "cancelled" }).await },
            )
        })
        .collect();
    let mut history = Vec::new();
    for one in tries {
        let (status, answer) = one.await.unwrap();
        match status {
            StatusCode::OK => history.push(answer["state"].as_str().unwrap().to_owned()),
            status => assert_eq!(status, StatusCode::CONFLICT),
        }
    }
    history.sort_unstable();
    // Placed and then cancelled is a legal path, too; cancelled is its end.
    assert!(history == ["cancelled"] || history == ["cancelled", "placed"], "{history:?}");
    assert_eq!(get(&service, &format!("/orders/{id}")).await.1["state"], "cancelled");
}

#[tokio::test]
async fn bad_orders_are_refused() {
    let service = service();
    let with = |name: &str, value: Value| {
        let mut order = new_order("ann");
        order[name] = value;
        order
    };
    let line = |quantity: i64, price: u64| json!([{ "sku": "a", "quantity": quantity, "unit_price": price }]);
    for (body, kind) in [
        (with("customer", json!("")), "invalid-customer"),
        (with("customer", json!("../ann")), "invalid-customer"),
        (with("currency", json!("XXX")), "invalid-body"),
        (with("currency", json!("eur")), "invalid-body"),
        (with("discount", json!(5)), "invalid-body"),
        (with("lines", json!([])), "invalid-lines"),
        (with("lines", line(0, 1)), "invalid-lines"),
        (with("lines", line(-1, 1)), "invalid-body"),
        (with("lines", line(9999, u64::MAX)), "amount-too-great"),
        (with("lines", json!([{ "sku": "a", "quantity": 1, "unit_price": 9.5 }])), "invalid-body"),
    ] {
        let (status, problem) = post(&service, "/orders", body.clone()).await;
        let expected = format!("urn:problem-type:{kind}");
        assert_eq!((status, problem["type"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some(&*expected)), "{body}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let service = service();
    for path in ["/orders/00000000000000000000000000000000", "/orders/x", "/orders/%2e%2e", "/orders", "/customers/a/b"]
    {
        let expected = if path == "/orders" { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::NOT_FOUND };
        assert_eq!(get(&service, path).await.0, expected, "{path}");
    }
    assert_eq!(moved(&service, "00000000000000000000000000000000", "placed").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(&service, "/customers/ann/orders?page=x").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(get(&service, "/customers/a%20b/orders").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(get(&service, "/customers/%ff/orders").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_service_says_that_it_is_well() {
    assert_eq!(get(&service(), "/healthz").await, (StatusCode::OK, json!({ "status": "ok", "service": "orders" })));
}
