//! What every [`Store`] must do, as a service, so that it can be asked of the in-memory side in a process and of the
//! `wasi:keyvalue` side in a real host by the same code.
//!
//! - `POST /suite` runs every case, each on keys of its own, and answers `{"passed":…,"failed":[{"case":…,"error":…}]}`.
//! - `POST /contend/{key}` adds 1 to a counter and to a record under that name; `GET /contend/{key}` answers both sums.
//!   Send many of the former at once: both sums must be their number.

mod cases;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use serde::Serialize;
use service_kit::store::{Decision, Store, StoreError};
use service_kit::{ConfigError, Json, Problem, Segment, with_common_routes};

/// The suite over a store. It has no settings.
///
/// # Errors
/// None.
pub fn app<S: Store>(store: S) -> Result<Router, ConfigError> {
    let router = Router::new()
        .route("/suite", post(suite::<S>))
        .route("/contend/{key}", get(sums::<S>).post(contend::<S>))
        .with_state(store);
    Ok(with_common_routes("store-suite", router))
}

#[derive(Serialize)]
struct Outcome {
    passed: usize,
    failed: Vec<Failed>,
}

#[derive(Serialize)]
struct Failed {
    case: &'static str,
    error: String,
}

#[derive(Serialize)]
struct Sums {
    counter: i64,
    record: u64,
}

async fn suite<S: Store>(State(store): State<S>) -> Json<Outcome> {
    let (mut passed, mut failed) = (0, Vec::new());
    for (case, result) in cases::run(&store).await {
        match result {
            Ok(()) => passed += 1,
            Err(error) => failed.push(Failed { case, error }),
        }
    }
    Json(Outcome { passed, failed })
}

async fn contend<S: Store>(State(store): State<S>, Segment(key): Segment) -> Result<Json<Sums>, Problem> {
    let counter = store.increment(&counter_key(&key), 1).await?;
    let record = store
        .update(&record_key(&key), |record: Option<u64>| {
            let record = record.unwrap_or(0) + 1;
            Ok::<_, StoreError>(Decision::Write(record, record))
        })
        .await?;
    Ok(Json(Sums { counter, record }))
}

async fn sums<S: Store>(State(store): State<S>, Segment(key): Segment) -> Result<Json<Sums>, Problem> {
    let counter = store.increment(&counter_key(&key), 0).await?;
    let record = store.read(&record_key(&key)).await?.unwrap_or(0);
    Ok(Json(Sums { counter, record }))
}

fn counter_key(key: &str) -> String {
    format!("store-suite/counter/{key}")
}

fn record_key(key: &str) -> String {
    format!("store-suite/record/{key}")
}
