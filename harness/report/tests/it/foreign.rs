//! Runs of services that the workspace does not build: other implementations, sides that are not there, what cannot be
//! measured, and what was granted.

use tare_model::metrics::THROUGHPUT;
use tare_model::{Group, RunRecord, Sample, Subject, SubjectRecord, UnavailableCell};
use tare_report::{Style, markdown, page};
use tare_stats::summarise;

use crate::example::{Made, content, record, reference_of};
use crate::terminal::{NARROW, shown};

/// A service that was handed in as a component, as an image and as an address, and no other.
fn cart() -> (RunRecord, Vec<Sample>) {
    let names = ["wasmtime/aot", "wasmtime/jit", "docker/image", "docker/image-bridge", "running/url"]
        .map(|variant| format!("cart:given/{variant}"));
    let mut record = record(&names.each_ref().map(String::as_str));
    // No plain process runs it: the first subject is what the others are compared with.
    record.plan.reference.insert("cart".into(), names[0].parse().unwrap());
    record.unavailable = [Group::Size, Group::Startup, Group::Memory, Group::Density]
        .map(|group| UnavailableCell {
            subject: names[4].parse().unwrap(),
            group,
            reason: "it ran before, and is not started or stopped here".into(),
        })
        .into();
    record.subjects = [&names[2], &names[3]]
        .map(|name| SubjectRecord {
            subject: name.parse().unwrap(),
            artifacts: Vec::new(),
            settings: [("network".to_owned(), "host".to_owned())].into(),
            grants: vec!["runs as root".into(), "writable root".into()],
        })
        .into();
    let samples = [
        Made::by(&names[0]).sizes([0.4e6, 0.1e6, 9e6]).cold(&[("spawn", 1.1), ("load", 2.3)]).memory(9.1, 15.0),
        Made::by(&names[1]).sizes([0.4e6, 0.1e6, 23e6]).cold(&[("spawn", 1.2), ("compile", 80.0)]).memory(31.0, 40.0),
        Made::by(&names[2]).sizes([80e6, 30e6, 80e6]).cold(&[("create", 33.0), ("start", 180.0)]).memory(2.2, 5.0),
        Made::by(&names[3]).sizes([80e6, 30e6, 80e6]).cold(&[("create", 34.0), ("start", 240.0)]).memory(2.2, 5.0),
        Made::by(&names[4]),
    ];
    let rates = [24_000.0, 23_500.0, 48_000.0, 41_000.0, 45_000.0];
    let loaded = samples.into_iter().zip(rates).map(|(made, rate)| made.load([rate, 30.0, 80.0, 700.0]));
    (record, loaded.flat_map(Made::samples).collect())
}

/// The same of some of its subjects.
fn cart_on(is_kept: impl Fn(&Subject) -> bool) -> (RunRecord, Vec<Sample>) {
    let (mut record, mut samples) = cart();
    record.plan.subjects.retain(&is_kept);
    record.unavailable.retain(|cell| is_kept(&cell.subject));
    samples.retain(|sample| is_kept(&sample.subject));
    (record, samples)
}

#[test]
fn a_service_from_elsewhere_is_shown_as_those_of_the_workspace() {
    let (record, samples) = cart();
    insta::assert_snapshot!(shown(&record, &samples, NARROW));
}

#[test]
fn in_markdown_and_on_the_page_too() {
    let (record, samples) = cart();
    let summary = summarise(&samples, &reference_of(&record));
    let content = content(&record, &summary, &samples);
    let text = markdown(&content);
    insta::assert_snapshot!(text.split("\n## Conditions").next().unwrap());
    let html = page(&content).html;
    for wanted in [
        "<caption>cart (given)</caption>",
        "granted beyond the hardened default of its platform: runs as root; writable root",
        "it ran before, and is not started or stopped here",
        "The reference of every ratio is wasmtime/aot.",
    ] {
        assert!(html.contains(wanted), "{wanted}");
    }
    for unwanted in ["the same measured twice", "id=\"isolation\"", "id=\"portability\"", "id=\"controls\"", "native"] {
        assert!(!html.contains(unwanted), "{unwanted}");
    }
}

#[test]
fn the_command_repeats_the_run_as_a_shell_takes_it() {
    let (mut record, samples) = cart();
    record.command = ["tare", "compare", "--program", "/opt/my cart {port}"].map(String::from).into();
    let summary = summarise(&samples, &reference_of(&record));
    let content = content(&record, &summary, &samples);
    let quoted = "tare compare --program '/opt/my cart {port}'";
    for text in [markdown(&content), page(&content).html] {
        assert!(text.contains(quoted), "{text}");
    }
}

#[test]
fn of_one_side_the_answer_says_what_can_be_said() {
    let answer = |side: &str| {
        let (record, samples) = cart_on(|subject| subject.platform == side);
        let text = shown(&record, &samples, Style { colour: false, width: 200 });
        (text.split("The answer\n").nth(1).map(str::to_owned), text)
    };
    let (components, text) = answer("wasmtime");
    insta::assert_snapshot!(components.unwrap(), @"Of the variants of components, wasmtime/aot starts soonest, takes the least memory when idle and answers the most requests.");
    assert!(!text.contains("docker/") && !text.contains("Cannot be measured"), "{text}");
    let (containers, text) = answer("docker");
    // One of the two variants is no candidate, and of one alone there is nothing to say.
    assert_eq!(containers, None, "{text}");
}

#[test]
fn without_a_reference_there_are_no_ratios() {
    let (mut record, samples) = cart();
    record.plan.reference.clear();
    let text = shown(&record, &samples, NARROW);
    let tables = text.split("What settings are worth").next().unwrap();
    assert!(!tables.contains('×'), "{tables}");
    assert!(!text.contains("the value over that of"), "{text}");
    let summary = summarise(&samples, &reference_of(&record));
    let html = page(&content(&record, &summary, &samples)).html;
    assert!(!html.contains("The reference of every ratio") && !html.contains("class=\"ratio\""));
}

/// Two services, one of which has two implementations.
pub(crate) fn mixed() -> (RunRecord, Vec<Sample>) {
    let subjects = [
        ("orders/native/process", 0.9, 52_000.0),
        ("orders/wasmtime/aot", 3.6, 24_000.0),
        ("orders/docker/debian", 210.0, 50_000.0),
        ("orders:go/wasmtime/aot", 4.2, 9_000.0),
        ("orders:go/docker/image", 190.0, 61_000.0),
    ];
    let record = record(&subjects.map(|(name, ..)| name));
    let made = |(name, cold, rate)| Made::by(name).cold(&[("spawn", cold)]).rounds(10, &THROUGHPUT, "closed", rate);
    (record, subjects.into_iter().map(made).flat_map(Made::samples).collect())
}

#[test]
fn implementations_are_told_apart() {
    let (record, samples) = mixed();
    let text = shown(&record, &samples, NARROW);
    let tables = text.split("\nWhat settings").next().unwrap().split("\nHow to read").next().unwrap();
    insta::assert_snapshot!(tables, @r"
    orders

                      start-up, ms ──────  full load, requests/s ──
                      cold                 throughput
    native/process    0.902 ±2%    1×      51,870 ±2%    1×     [1]
    wasmtime/aot       3.61 ±2% 4.02× ±1%  23,940 ±2% 0.46× ±1%
    docker/debian       209 ±2%  228× ±6%  50,125 ±2% 0.96× ±3% [1]
    go: wasmtime/aot   4.21 ±2% 4.69× ±1%   8,978 ±2% 0.17× ±1%
    go: docker/image    190 ±2%  212× ±1%  60,848 ±2% 1.18× ±1% [1]

    where the time of a cold start goes, ms
    native/process    0.902 ≈ spawn 0.902
    wasmtime/aot       3.61 ≈ spawn 3.61
    docker/debian       209 ≈ spawn 209
    go: wasmtime/aot   4.21 ≈ spawn 4.21
    go: docker/image    190 ≈ spawn 190

    Noise
      drift  from the first round to the last, median over subjects: startup_cold -1.5 %, throughput
             -1.5 %
    ");
    let answer = text.split("The answer\n").nth(1).unwrap();
    insta::assert_snapshot!(answer, @r"
    orders: At their best, figure by figure, Wasm starts 58.2 [56.6, 59.8] times sooner (wasmtime/aot
    against docker/debian); the container answers 2.14 [2.02, 2.14] times as many requests
    (docker/debian against wasmtime/aot).
    orders (go): At their best, figure by figure, Wasm starts 45.2 [45.2, 45.2] times sooner
    (wasmtime/aot against docker/image); the container answers 6.78 [6.78, 6.78] times as many requests
    (docker/image against wasmtime/aot).
    Factors are medians of each round's ratio, of one service with their 95 % intervals. The quotient of
    two medians in the tables is another figure; on a disturbed machine it may be quite another.
    The rate of requests of orders/native/process, orders/docker/debian, orders:go/docker/image is
    marked: it may not be all that the subject can do, or not all answers were right.
    ");
    let summary = summarise(&samples, &reference_of(&record));
    let html = page(&content(&record, &summary, &samples)).html;
    assert!(html.contains("</span>go: wasmtime/aot"), "the label in the table of the page");
}
