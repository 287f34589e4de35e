//! What one request costs the generator apart from the system calls: drawing and rendering it, reading the framing of
//! its answer, checking the body, and recording the latency.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tare_load::framing::Framing;
use tare_load::{Expect, Histogram, Mix, Parts, Request};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 52\r\n\
    date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n{\"id\":\"0123456789abcdef\",\"state\":\"authorised\",\"a\":1}";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\
    date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n34\r\n{\"id\":\"0123456789abcdef\",\"state\":\"authorised\",\"a\":1}\r\n0\r\n\r\n";

fn mix() -> Mix {
    let request = |name, weight| {
        let parts = Parts {
            name,
            method: "POST",
            path: "/payments",
            headers: &[("content-type", "application/json"), ("idempotency-key", "k-${unique}")],
            body: br#"{"amount":1999,"currency":"EUR","order":"${unique}"}"#,
            expect: Expect { status: 200, contains: vec![br#""state":"authorised""#.to_vec()] },
        };
        (Request::new(&parts).expect("valid parts"), weight)
    };
    Mix::new([request("authorise", 10), request("capture", 5), request("refund", 1)]).expect("weights")
}

fn read(answer: &[u8]) -> Framing {
    let mut framing = Framing::new(false);
    assert_eq!((framing.advance(answer), framing.end()), (Ok(true), answer.len()));
    framing
}

fn hot_path(criterion: &mut Criterion) {
    let mix = mix();
    let mut wire = Vec::new();
    let mut k = 0;
    criterion.bench_function("draw and render a request", |bencher| {
        bencher.iter(|| {
            k += 1;
            let draw = mix.draw(1, k);
            mix.requests()[draw.request].render(draw.unique, &mut wire);
            black_box(&wire);
        });
    });
    criterion.bench_function("read the framing, content-length", |bencher| bencher.iter(|| read(black_box(ANSWER))));
    criterion.bench_function("read the framing, chunked", |bencher| bencher.iter(|| read(black_box(CHUNKED))));
    let framing = read(ANSWER);
    criterion.bench_function("check an answer", |bencher| {
        bencher.iter(|| mix.requests()[0].missing_in(black_box(framing.body(ANSWER))));
    });
    let mut latencies = Histogram::<u64>::new_with_max(11_000_000_000, 3).expect("valid bounds");
    criterion.bench_function("record a latency", |bencher| {
        bencher.iter(|| {
            k = k.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            latencies.saturating_record(black_box(k >> 40));
        });
    });
}

criterion_group!(benches, hot_path);
criterion_main!(benches);
