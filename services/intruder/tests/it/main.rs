//! The intruder in this process, where nothing keeps it from anything.

use std::net::TcpListener;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use service_kit::store::Memory;
use tower::ServiceExt;

fn service() -> Router {
    service_intruder::app(Memory::default()).unwrap()
}

async fn get(path: &str) -> (StatusCode, Value) {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let response = service().oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

/// Whether a deed was done, and how it went.
async fn tried(deed: &str, with: &str) -> (bool, String) {
    let (status, answer) = get(&format!("/deeds/{deed}?with={with}")).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    (answer["done"].as_bool().unwrap(), answer["how"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn it_answers_as_a_service_does() {
    let (status, health) = get("/healthz").await;
    assert_eq!((status, &health["service"]), (StatusCode::OK, &"intruder".into()));
}

#[tokio::test]
async fn what_is_there_is_read() {
    let (done, how) = tried("read-file", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).await;
    assert!(done && how.contains("service-intruder"), "{how}");
    assert!(!tried("read-file", "/no/such/file").await.0);
    let (done, how) = tried("see-environment", "CARGO_PKG_NAME").await;
    assert!(done && how.contains("service-intruder"), "{how}");
    assert!(!tried("see-environment", "NO_SUCH_VARIABLE").await.0);
}

#[tokio::test]
async fn a_connection_is_opened_where_somebody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    assert!(tried("connect", &addr).await.0);
    drop(listener);
    assert!(!tried("connect", &addr).await.0);
}

#[tokio::test]
async fn memory_and_threads_are_taken_as_far_as_there_are_any() {
    assert_eq!(tried("exceed-memory", "8").await, (true, "8 MiB were used".into()));
    let (done, how) = tried("exceed-memory", &usize::MAX.to_string()).await;
    assert!(!done && how.contains("refused"), "{how}");
    assert_eq!(tried("exceed-tasks", "40").await, (true, "40 threads ran at once".into()));
}

#[tokio::test]
async fn its_privileges_are_told_and_the_root_is_left_as_it_was() {
    let (done, how) = tried("gain-privileges", "").await;
    assert_eq!(done, !how.starts_with("not user 0"), "{how}");
    tried("write-root", "").await;
    let left = std::fs::read_dir("/").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert_eq!(left.filter(|name| name.starts_with("intruder-")).count(), 0);
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused() {
    assert_eq!(get("/deeds/steal").await.0, StatusCode::NOT_FOUND);
    for path in ["/deeds/connect", "/deeds/connect?with=here", "/deeds/exceed-memory?with=-1"] {
        assert_eq!(get(path).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
}
