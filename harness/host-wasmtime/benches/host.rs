//! What the host itself costs, in this process and without a network: an instance, its first call, a later call, and a
//! call of `wasi:keyvalue`. The component is a real one, compiled ahead.
//!
//! `cargo bench -p tare-host-wasmtime`; with `--profile service` optimised as it is measured elsewhere, which takes
//! longer to build.

#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/it/artifacts.rs"]
mod artifacts;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use tare_host_wasmtime::component;
use tare_host_wasmtime::keyvalue::Values;
use tare_host_wasmtime::service::{Host, Service};
use tare_host_wasmtime::settings::Settings;
use tokio::runtime::Runtime;

/// How many calls of the host one request makes where the cost of one is asked for.
const CALLS: u64 = 1000;

fn service(settings: Settings) -> Arc<Service> {
    let host = Host::new(settings, Vec::new()).expect("the machine has room for the pool");
    let (component, _) = component::open(host.engine(), &artifacts::GUEST_AHEAD).expect("compiled by the same version");
    Service::link(&host, "bench", &component).expect("the host has all that the component imports")
}

/// One whole request, checked to be answered well.
async fn ask(service: &Arc<Service>, path: &str) -> Bytes {
    let request = Request::get(path).header(header::HOST, "localhost").body(Empty::<Bytes>::new());
    let response = service.handle(request.expect("the path is valid")).await;
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().collect().await.expect("the answer is whole").to_bytes()
}

fn instances(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("the threads start");
    let fresh = service(Settings::default());
    let warm = service(Settings { reuse: NonZeroU32::MAX, ..Settings::default() });
    let mut group = criterion.benchmark_group("instance");
    group.bench_function("instantiate", |bencher| {
        bencher.iter(|| {
            let deadline = Instant::now() + Duration::from_secs(10);
            runtime.block_on(fresh.instance(deadline)).expect("the component instantiates")
        });
    });
    group.bench_function("first call", |bencher| bencher.iter(|| runtime.block_on(ask(&fresh, "/hello"))));
    group.bench_function("later call", |bencher| bencher.iter(|| runtime.block_on(ask(&warm, "/hello"))));
    group.finish();
}

fn keyvalue(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("the threads start");
    let warm = service(Settings { reuse: NonZeroU32::MAX, ..Settings::default() });
    let values = Values::default();
    let mut group = criterion.benchmark_group("keyvalue");
    group.throughput(Throughput::Elements(CALLS));
    let path = format!("/keyvalue/count?n&{CALLS}");
    group.bench_function("increment from a component", |bencher| bencher.iter(|| runtime.block_on(ask(&warm, &path))));
    group.bench_function("increment in the host", |bencher| {
        bencher.iter(|| {
            for _ in 0..CALLS {
                values.increment("n".into(), |number: i64| number.checked_add(1)).expect("a counter");
            }
        });
    });
    group.finish();
}

criterion_group!(benches, instances, keyvalue);
criterion_main!(benches);
