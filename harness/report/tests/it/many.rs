//! A run of everything on as many subjects as there may be, with figures from a fixed sequence.

use tare_model::metrics::{
    CPU_PER_REQUEST, LATENCY, MEMORY_CGROUP, MEMORY_ENGINE, MEMORY_HIGH_WATER, MEMORY_INSTANCES, MEMORY_PER_INSTANCE,
    MEMORY_PSS, MEMORY_TRACE, SIZE, STARTUP_COLD, STARTUP_WARM, SUSTAINED_RATE, SWEEP_LATENCY, THROUGHPUT,
};
use tare_model::{Metric, Phase, RunRecord, Sample};

use crate::example::record;

pub(crate) const SERVICES: [&str; 2] = ["auth", "orders"];

/// From the plain process to names as long as they get.
const SETTINGS: [&str; 18] = [
    "native/process",
    "native/again",
    "wasmtime/aot",
    "wasmtime/jit",
    "wasmtime/reuse",
    "wasmtime/stock",
    "wasmtime/on-demand",
    "wasmtime/jit-unoptimised",
    "wasmtime/direct",
    "wasmer/aot",
    "wasmer/cranelift",
    "wasmer/singlepass",
    "wasmer/cgi",
    "oci/scratch-glibc",
    "docker/scratch",
    "docker/scratch-glibc",
    "docker/debian",
    "docker/wasm",
];

const ROUNDS: u32 = 7;
const RATES: [f64; 6] = [3100.0, 4400.0, 6200.0, 8700.0, 12_000.0, 17_000.0];

/// What is sampled of every subject, with its size for the smallest.
const SAMPLED: &[(&Metric, &str, f64)] = &[
    (&STARTUP_COLD, "total", 1.6e6),
    (&STARTUP_COLD, "spawn", 0.9e6),
    (&STARTUP_COLD, "listen", 0.3e6),
    (&STARTUP_COLD, "first_answer", 0.4e6),
    (&STARTUP_WARM, "total", 0.9e6),
    (&MEMORY_PSS, "idle", 1.9e6),
    (&MEMORY_PSS, "peak", 2.9e6),
    (&MEMORY_PSS, "after", 2.5e6),
    (&MEMORY_CGROUP, "idle", 0.6e6),
    (&MEMORY_ENGINE, "idle", 4.5e6),
    (&MEMORY_HIGH_WATER, "rss", 3.1e6),
    (&MEMORY_PER_INSTANCE, "total", 0.4e6),
    (&THROUGHPUT, "closed", 1500.0),
    (&CPU_PER_REQUEST, "open", 11e3),
    (&SUSTAINED_RATE, "p99", 3100.0),
    (&LATENCY, "open_p50", 70e3),
    (&LATENCY, "open_p90", 120e3),
    (&LATENCY, "open_p99", 400e3),
    (&LATENCY, "open_p999", 2e6),
    (&LATENCY, "open_max", 9e6),
];

/// What is sampled along a second dimension.
const ALONG: &[(&Metric, &str, f64, f64)] = &[
    (&MEMORY_TRACE, "pss", 0.0, 1.9e6),
    (&MEMORY_TRACE, "pss", 50.0, 2.6e6),
    (&MEMORY_TRACE, "pss", 100.0, 2.9e6),
    (&MEMORY_INSTANCES, "total", 1.0, 2.0e6),
    (&MEMORY_INSTANCES, "total", 2.0, 2.4e6),
    (&MEMORY_INSTANCES, "total", 4.0, 3.1e6),
];

pub(crate) fn many() -> (RunRecord, Vec<Sample>) {
    let names: Vec<String> =
        SERVICES.iter().flat_map(|service| SETTINGS.map(|setting| format!("{service}/{setting}"))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut record = record(&names);
    record.plan.load.sweep_s = 0.25;
    record.plan.instances = vec![1, 2, 4];
    for service in SERVICES {
        record.calibration.sweep_rps.insert(service.into(), RATES.to_vec());
        record.plan.load.objective_ns.insert(service.into(), 10e6);
    }
    let mut samples = Vec::new();
    let mut noise = fastrand::Rng::with_seed(7);
    for (place, name) in (1_u32..).zip(&names) {
        // Two orders of magnitude from the first subject to the last.
        let times = 1.3_f64.powi(i32::try_from(place % 18).unwrap());
        let mut add = |round: u32, metric: &'static Metric, phase: Phase, value: f64| {
            samples.push(Sample { round, position: place, subject: name.parse().unwrap(), metric, phase, value });
        };
        for (phase, bytes) in [("artifact", 4e5), ("compressed", 1.5e5), ("shared", 1e5), ("total", 9e5)] {
            add(0, &SIZE, phase.into(), bytes * times);
        }
        for round in 1..=ROUNDS {
            for (metric, phase, least) in SAMPLED {
                add(round, metric, (*phase).into(), least * times * (1.0 + 0.3 * noise.f64()));
            }
            for (metric, phase, at, least) in ALONG {
                add(round, metric, Phase::at(phase, *at), least * times * (1.0 + 0.3 * noise.f64()));
            }
            for rate in RATES.iter().take(usize::try_from(place % 7).unwrap()) {
                add(round, &SWEEP_LATENCY, Phase::at("p99", *rate), rate * 100.0 * (1.0 + noise.f64()));
            }
        }
    }
    (record, samples)
}
