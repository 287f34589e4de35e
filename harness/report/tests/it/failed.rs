//! A run in which every subject failed.

use tare_model::metrics::SIZE;
use tare_model::{Group, RunRecord, Sample};
use tare_report::{markdown, page, terminal};
use tare_stats::summarise;

use crate::example::{Made, content, failed, record, reference_of};
use crate::terminal::{NARROW, shown};

const SUBJECTS: [&str; 2] = ["cart:given/wasmtime/aot", "cart:given/docker/image"];

const REASON: &str = "request `cart` was not answered rightly: GET /cart gave 404 with the body `not found`: the status should \
                      be 200";

/// The sizes are there; what is measured in rounds is not.
fn all_failed() -> (RunRecord, Vec<Sample>) {
    let mut record = record(&SUBJECTS);
    for round in 1..=3 {
        record.failed.extend(SUBJECTS.map(|subject| failed(subject, None, Some(round), REASON)));
    }
    let made = SUBJECTS.map(|subject| Made::by(subject).once(&SIZE, "artifact", 4e5).samples());
    (record, made.concat())
}

#[test]
fn only_the_failures_and_what_to_do_are_said() {
    let (record, samples) = all_failed();
    insta::assert_snapshot!(shown(&record, &samples, NARROW), @r"
    Every subject failed, so there is nothing to compare.

    Why
      –  cart:given/wasmtime/aot, cart:given/docker/image, rounds 1, 2, 3: request `cart` was not
         answered rightly: GET /cart gave 404 with the body `not found`: the status should be 200

    What to do
      –  Where a reason says what was asked and what was answered, either the service is wrong, or what
         its service.toml or scenario.toml expects: correct one of them.
      –  `tare doctor --service PATH` (or with the flags of this run) tells what of a service can be
         measured here.
      –  `--rounds 1 --only startup` tries it again in the shortest time.
    ");
}

#[test]
fn the_report_has_no_tables_and_no_charts_either() {
    let (record, samples) = all_failed();
    let summary = summarise(&samples, &reference_of(&record));
    let content = content(&record, &summary, &samples);
    let text = markdown(&content);
    assert!(text.contains("## Why") && text.matches("not found").count() == 1 && !text.contains("|---"), "{text}");
    assert!(text.contains("## Conditions") && text.contains("tare compare --suite standard"), "{text}");
    let page = page(&content);
    assert_eq!(page.charts, []);
    assert!(page.html.contains("<h2>Every subject failed") && page.html.contains("the status should be 200"));
    assert!(!page.html.contains("id=\"figures\""));
}

#[test]
fn what_failed_in_part_is_shown_as_ever() {
    let (mut record, samples) = all_failed();
    let is_shown = |record: &RunRecord, samples: &[Sample]| {
        let summary = summarise(samples, &reference_of(record));
        terminal(&content(record, &summary, samples), NARROW).contains("shipped")
    };
    assert!(!is_shown(&record, &samples));
    // One subject has a figure of a round.
    let measured = Made::by(SUBJECTS[0]).memory(9.0, 10.0).samples();
    assert!(is_shown(&record, &[samples.clone(), measured].concat()));
    // One family of metrics failed, and not the subject.
    record.failed.retain(|cell| cell.subject.platform == "docker");
    record.failed.push(failed(SUBJECTS[0], Some(Group::Load), Some(1), REASON));
    assert!(is_shown(&record, &samples));
}
