//! A run read against another.

use tare_model::Sample;
use tare_report::{Content, Other, terminal};
use tare_stats::summarise;

use crate::example::{Made, content, record, reference_of};
use crate::terminal::NARROW;

#[test]
fn two_runs_are_compared_subject_by_subject() {
    let subjects = ["orders/native/process", "orders/wasmtime/aot"];
    let taken = |wasm: f64| -> Vec<Sample> {
        let cold = |subject, value: f64| Made::by(subject).cold(&[("spawn", value)]).samples();
        [cold(subjects[0], 1.0), cold(subjects[1], wasm)].concat()
    };
    let (mut record, then) = (record(&subjects), record(&subjects));
    record.run = "later".into();
    record.git_commit = Some("abcdef0".into());
    let (samples, earlier) = (taken(3.0), taken(2.0));
    let reference = reference_of(&record);
    let (summary, earlier) = (summarise(&samples, &reference), summarise(&earlier, &reference));
    let against = Some(Other { record: &then, summary: &earlier });
    let content = Content { against, ..content(&record, &summary, &samples) };
    let text = terminal(&content, NARROW);
    let section = &text[text.find("orders, against").unwrap()..];
    insta::assert_snapshot!(section, @r"
    orders, against 20261122-182125

                    start-up ──────────
                    cold, ms
    native/process  1.00 → 1.00 1.00× =
    wasmtime/aot    2.00 → 3.01 1.50× ≠

    Against the other run
      a → b   the median of 20261122-182125 and of later, then the second over the first
      =       the 95 % intervals overlap: no difference can be told
      ≠       the intervals have nothing in common. The runs were not interleaved: what changed on the
              machine between them counts as a difference, too
      ?       one of them has too few rounds for an interval, or was measured once
      differ  between the runs: commit

    Overview of orders

                    cold start ──────
                    ms
    native/process  1.00 ████
    wasmtime/aot    3.01 ████████████
    ");
}
