//! Whole runs on real components and processes, with an observer that keeps what it hears.

use std::path::Path;

use anyhow::Result;
use tare_model::{Group, RunRecord, RunState, Sample};
use tare_runner::{Cancel, Choice, EveryRound, Layout, Observer, Options, Progress, SUITES, Service, run};

#[derive(Default)]
struct Heard {
    samples: Vec<Sample>,
    records: usize,
}

impl Observer for Heard {
    fn sample(&mut self, sample: &Sample) -> Result<()> {
        self.samples.push(sample.clone());
        Ok(())
    }

    fn record(&mut self, _: &RunRecord) -> Result<()> {
        self.records += 1;
        Ok(())
    }

    fn progress(&mut self, _: &Progress) {}
}

fn compare(services: &[Service], heard: &mut Heard) -> RunRecord {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let choice = Choice {
        platforms: vec!["native/process".into(), "wasmtime/aot".into()],
        only: vec![Group::Startup],
        seed: 3,
        rounds: Some(1),
        ..Choice::default()
    };
    let layout = Layout::checkout(root);
    let options =
        Options { run: "test", layout: &layout, services, suite: &SUITES[0], choice: &choice, command: Vec::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(&options, &Cancel::default(), heard, &mut EveryRound)).unwrap()
}

#[test]
fn a_service_that_answers_wrongly_costs_its_own_cells_and_the_request_is_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let (mut services, _) = Layout::checkout(root).services().unwrap();
    services.retain(|service| service.name != "auth");
    let orders = services.iter_mut().find(|service| service.name == "orders").unwrap();
    let step = orders.scenario.steps.iter_mut().find(|step| step.name == "create").unwrap();
    step.expect.json = Some(serde_json::json!({ "totals": { "gross": 1 } }));
    let mut heard = Heard::default();
    let record = compare(&services, &mut heard);
    assert_eq!(record.state, RunState::Complete);
    let failed: Vec<String> = record.failed.iter().map(|cell| cell.subject.to_string()).collect();
    assert_eq!(failed, ["orders/native/process", "orders/wasmtime/aot"]);
    for cell in &record.failed {
        assert!(cell.reason.contains("request `create` was not answered rightly"), "{}", cell.reason);
        assert!(cell.reason.contains("/totals/gross is 7190 instead of 1"), "{}", cell.reason);
    }
    assert!(heard.samples.iter().all(|sample| sample.subject.service == "payments"));
    assert_eq!(heard.samples.iter().filter(|sample| sample.phase == "total").count(), 3, "two cold starts, one warm");
    assert!(heard.records > 3, "the record is kept up to date");
}
