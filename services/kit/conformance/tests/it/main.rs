//! The suite, run on the store of a native process; and such a process, as whoever starts it sees it.

mod process;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use service_kit::store::Memory;
use tower::ServiceExt;

async fn call(service: &Router, method: Method, path: &str) -> Value {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let response = service.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn the_store_in_memory_passes_the_suite() {
    let service = store_suite::app(Memory::default()).unwrap();
    for _ in 0..2 {
        let outcome = call(&service, Method::POST, "/suite").await;
        assert_eq!(outcome["failed"], json!([]));
        assert_eq!(outcome["passed"], 23);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_when_many_write_one_key() {
    let service = store_suite::app(Memory::default()).unwrap();
    let writers: Vec<_> = (0..400)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(async move { call(&service, Method::POST, "/contend/key").await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let sums = call(&service, Method::GET, "/contend/key").await;
    assert_eq!(sums, json!({ "counter": 400, "record": 400 }));
}
