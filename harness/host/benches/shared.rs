//! What is asked of every host in its benchmark, in this process and without a network, so that their figures can stand
//! beside each other: a first call, later calls with small and large bodies, and calls of `wasi:keyvalue`.

use std::convert::Infallible;
use std::num::NonZeroU32;

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use http::{Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::combinators::MapErr;
use http_body_util::{BodyExt, Full};
use tare_host::log::ServiceLog;
use tare_host::settings::Common;
use tare_host::values::Values;
use tokio::runtime::Runtime;

/// How many calls of the host one request makes where the cost of one is asked for.
const CALLS: u64 = 1000;

/// The larger of the bodies, in bytes.
const LARGE: usize = 64 * 1024;

/// Settings under which instances live as long as they can.
pub(crate) fn reusing(common: &Common) -> Common {
    Common { reuse: NonZeroU32::MAX, ..common.clone() }
}

/// The body of a request, as if it came from a connection.
type Asked = MapErr<Full<Bytes>, fn(Infallible) -> hyper::Error>;

/// A request for a path of the component of the tests.
fn request(path: &str, body: Bytes) -> Request<Asked> {
    let body = Full::new(body).map_err((|never| match never {}) as fn(Infallible) -> hyper::Error);
    let request = Request::post(path).header(header::HOST, "localhost").body(body);
    request.expect("the path is valid")
}

/// The body of an answer, which must be a good one.
pub(crate) async fn whole<B: Body<Data = Bytes>>(response: Response<B>) -> Bytes
where
    B::Error: std::fmt::Debug,
{
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().collect().await.expect("the answer is whole").to_bytes()
}

/// Measures a host, under its name, by how it answers with fresh instances and with warm ones.
pub(crate) fn calls<F: Future<Output = Bytes>>(
    criterion: &mut Criterion,
    host: &str,
    runtime: &Runtime,
    fresh: impl Fn(Request<Asked>) -> F,
    warm: impl Fn(Request<Asked>) -> F,
) {
    let large = Bytes::from(vec![7; LARGE]);
    let mut group = criterion.benchmark_group(format!("{host}, call"));
    group.bench_function("first", |bencher| {
        bencher.iter(|| runtime.block_on(fresh(request("/hello", Bytes::new()))));
    });
    group.bench_function("later", |bencher| {
        bencher.iter(|| runtime.block_on(warm(request("/hello", Bytes::new()))));
    });
    group.throughput(Throughput::Bytes(LARGE as u64));
    group.bench_function("later, 64 KiB in", |bencher| {
        bencher.iter(|| runtime.block_on(warm(request("/echo", large.clone()))));
    });
    group.bench_function("later, 64 KiB in and out", |bencher| {
        bencher.iter(|| runtime.block_on(warm(request("/mirror", large.clone()))));
    });
    group.finish();

    let values = Values::new(usize::MAX, &ServiceLog::new("bench", 0));
    let mut group = criterion.benchmark_group(format!("{host}, keyvalue"));
    group.throughput(Throughput::Elements(CALLS));
    let path = format!("/keyvalue/count?n&{CALLS}");
    group.bench_function("increment from a component", |bencher| {
        bencher.iter(|| runtime.block_on(warm(request(&path, Bytes::new()))));
    });
    group.bench_function("increment in the host", |bencher| {
        bencher.iter(|| {
            for _ in 0..CALLS {
                values.increment("n".into(), |number: i64| number.checked_add(1)).expect("a counter");
            }
        });
    });
    group.finish();
}
