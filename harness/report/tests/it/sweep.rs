//! How latency grows with load, as its reader sees it.

use tare_model::metrics::{LOAD_ERRORS, SUSTAINED_RATE, SWEEP_LATENCY};
use tare_model::{Metric, Phase, Sample};

use crate::example::record;
use crate::terminal::NARROW;
use crate::terminal::shown;

#[test]
fn each_subject_is_shown_up_to_the_rate_that_it_did_not_sustain() {
    let mut record = record(&["orders/native/process", "orders/wasmtime/aot", "orders/docker/scratch"]);
    record.calibration.sweep_rps.insert("orders".into(), vec![3100.0, 4400.0, 6200.0]);
    record.plan.load.sweep_s = 0.25;
    record.plan.load.sweep.longest_s = 2.0;
    record.plan.load.sweep.tries = 2;
    record.plan.load.objective_ns.insert("orders".into(), 10e6);
    let sample = |subject: &str, metric: &'static Metric, phase: Phase, value: f64| Sample {
        round: 1,
        position: 1,
        subject: subject.parse().unwrap(),
        metric,
        phase,
        value,
    };
    let tail = |subject: &str, rate: f64, milliseconds: f64| {
        sample(subject, &SWEEP_LATENCY, Phase::at("p99", rate), milliseconds * 1e6)
    };
    let (native, wasm) = ("orders/native/process", "orders/wasmtime/aot");
    let samples = [
        tail(native, 3100.0, 0.21),
        tail(native, 4400.0, 0.25),
        sample(native, &SUSTAINED_RATE, "p99".into(), 4400.0),
        // The sweep ended there.
        sample(native, &SUSTAINED_RATE, "at_least".into(), 4400.0),
        tail(wasm, 3100.0, 1.9),
        tail(wasm, 4400.0, 31.4),
        sample(wasm, &LOAD_ERRORS, Phase::at("sweep", 4400.0), 2.0),
        sample(wasm, &SUSTAINED_RATE, "p99".into(), 3100.0),
    ];
    let text = shown(&record, &samples, NARROW);
    let section = text.split("\n\n").skip(1).take(2).collect::<Vec<_>>().join("\n\n");
    insta::assert_snapshot!(section, @r"
                    full load, requests/s
                    sustained
    native/process  ≥4,400
    wasmtime/aot     3,100 [1]
    docker/scratch  –

                    99th percentile in ms at so many thousand requests/s
                    3.10   4.40
    native/process  0.210  0.250
    wasmtime/aot    1.90   31.4!
    ");
    let explained = text.lines().skip_while(|line| !line.starts_with("  rate sweep")).take(7);
    insta::assert_snapshot!(explained.collect::<Vec<_>>().join("\n"), @r"
    rate sweep  open loop of 0.25 to 2 s at each of a series of rates common to all subjects of a
                service, each √2 times the one before, up to the first that is not sustained in 2
                tries (!): the 99th percentile is above the objective of 10.0 ms (orders), the last
                answer comes later than that after the last request was due, less than 95 % are
                answered while requests are due, or an answer is wrong; sustained: the highest rate
                before that, right to a factor of √2; ≥: in half of the rounds or more the sweep ended
                first, or the load generator was late
    ");
}
