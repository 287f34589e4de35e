//! The section on what settings are worth.

use tare_report::{Style, terminal};
use tare_stats::summarise;

use crate::example::{content, full, reference_of};

#[test]
fn each_variant_stands_over_its_baseline_where_both_were_measured() {
    let (record, samples) = full();
    let summary = summarise(&samples, &reference_of(&record));
    let text = terminal(&content(&record, &summary, &samples), Style { colour: false, width: 200 });
    let section = text.split("\n\n").find(|part| part.starts_with("What settings are worth\n")).unwrap();
    insta::assert_snapshot!(section, @r"
    What settings are worth
      wasmtime/aot    Wasm against a container, both for speed, over docker/scratch: cold start 0.043×, idle memory + engine 2.29×, throughput 0.47× ~
      wasmtime/jit    compiled at start, over wasmtime/aot: cold start 26.7×, idle memory + engine 3.69×, throughput 0.99× ~
      wasmtime/reuse  an instance serves many requests, over wasmtime/aot: throughput 1.60× ~
      docker/scratch  in a container, over native/process: cold start 89.0×, idle memory + engine 3.06×, throughput 0.98× ~
      ~               of 3 rounds: too few for a 95 % interval, so that this may be chance
    ");
}
