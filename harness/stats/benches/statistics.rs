//! The statistics at the sizes of a run (ten rounds), of a long one (a hundred) and of a whole summary.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use tare_model::metrics::STARTUP_COLD;
use tare_model::{METRICS, Sample, Subject, VariantId};
use tare_stats::{Bootstrap, Reference, median, median_interval, summarise};

fn values(n: usize) -> Vec<f64> {
    let mut random = Pcg64::seed_from_u64(1);
    (0..n).map(|_| random.random_range(1e6..2e6)).collect()
}

/// A full suite: five services, eight subjects each, ten rounds, every metric in four phases.
fn run() -> Vec<Sample> {
    let mut random = Pcg64::seed_from_u64(2);
    let mut samples = Vec::new();
    for round in 1..=10 {
        for (position, (service, variant)) in (0..5).flat_map(|s| (0..8).map(move |v| (s, v))).enumerate() {
            let platform = if variant == 0 { "native" } else { "wasmtime" };
            let subject = Subject::new(&format!("service-{service}"), platform, &format!("variant-{variant}"));
            samples.extend(METRICS.iter().flat_map(|metric| {
                let value = random.random_range(1e6..2e6);
                ["total", "spawn", "load", "listen"].map(|phase| Sample {
                    round,
                    position: u32::try_from(position + 1).unwrap_or(u32::MAX),
                    subject: subject.clone(),
                    metric,
                    phase: phase.into(),
                    value,
                })
            }));
        }
    }
    samples
}

fn reference() -> Reference {
    let services: Vec<String> = (0..5).map(|index| format!("service-{index}")).collect();
    Reference::of_services(services.iter().map(String::as_str), &VariantId::new("native", "variant-0"))
}

fn statistics(criterion: &mut Criterion) {
    for n in [10, 100] {
        let values = values(n);
        criterion.bench_with_input(BenchmarkId::new("median", n), &values, |b, values| {
            b.iter(|| median(black_box(values)));
        });
        criterion.bench_with_input(BenchmarkId::new("median_interval", n), &values, |b, values| {
            b.iter(|| median_interval(black_box(values), 0.95));
        });
        let bootstrap = Bootstrap { resamples: 2_000, confidence: 0.95, seed: 1 };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        criterion.bench_with_input(BenchmarkId::new("bootstrap_bca_2000", n), &values, |b, values| {
            b.iter(|| bootstrap.bca(black_box(values), mean));
        });
    }
    let (samples, reference) = (run(), reference());
    assert!(summarise(&samples, &reference).cells.iter().any(|cell| cell.metric == &STARTUP_COLD));
    criterion.bench_function(&format!("summarise_{}", samples.len()), |b| {
        b.iter(|| summarise(black_box(&samples), &reference));
    });
}

criterion_group!(benches, statistics);
criterion_main!(benches);
