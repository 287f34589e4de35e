//! The section on what settings are worth.

use tare_report::{Content, Pair, Sides, Style, terminal};
use tare_stats::{Reference, summarise};

use crate::example::{content, full};

#[test]
fn each_setting_stands_beside_the_difference_between_the_sides() {
    let (record, samples) = full();
    let pair = |of: &str, over: &str, what: &str| Pair { of: of.into(), over: over.into(), what: what.into() };
    let pairs = [
        pair("wasmtime/aot", "docker/scratch", "the two sides"),
        pair("wasmtime/jit", "wasmtime/aot", "compiled at start"),
        pair("wasmer/aot", "wasmtime/aot", "never measured"),
        pair("docker/scratch", "native/musl", "in a container"),
    ];
    let summary = summarise(&samples, &Reference::new("native", "musl"));
    let sides = Sides::default();
    let content = Content { pairs: &pairs, ..content(&record, &summary, &samples, &sides) };
    let text = terminal(&content, Style { colour: false, width: 200 });
    let section = text.split("\n\n").find(|part| part.starts_with("What settings are worth\n")).unwrap();
    insta::assert_snapshot!(section, @r"
    What settings are worth
      wasmtime/aot    the two sides, over docker/scratch: cold start 0.043×, idle memory + engine 2.29×, throughput 0.47× (too few rounds)
      wasmtime/jit    compiled at start, over wasmtime/aot: cold start 26.7×, idle memory + engine 3.69×, throughput 0.99× (too few rounds)
      docker/scratch  in a container, over native/musl: cold start 90.7×, idle memory + engine 3.12×, throughput 1.00× (too few rounds)
    ");
}
