//! Text from elsewhere that would move a cursor, hide what stands beside it or become markup.

use tare_model::{FailedCell, Group, RunRecord, Sample, Subject, SubjectRecord, UnavailableCell};
use tare_report::{Style, markdown, page};
use tare_stats::summarise;

use crate::example::{Made, content, record, reference_of};
use crate::terminal::shown;

const HOSTILE: &str = "x\u{1b}[2J\u{7}\u{202e}\u{2066}\u{9b}1m<script>alert(1)</script>|../../y";

/// A run in which every text that comes from elsewhere is hostile.
fn hostile() -> (RunRecord, Vec<Sample>) {
    let subject = |variant: &str| Subject {
        service: HOSTILE.into(),
        implementation: format!("i{HOSTILE}"),
        platform: format!("docker{HOSTILE}"),
        variant: format!("{variant}{HOSTILE}"),
    };
    let mut record = record(&[]);
    record.plan.subjects = vec![subject("one"), subject("two")];
    record.plan.reference = [(HOSTILE.to_owned(), subject("one"))].into();
    record.run = HOSTILE.into();
    record.command = vec![HOSTILE.into()];
    record.started = HOSTILE.into();
    record.host.kernel = HOSTILE.into();
    record.host.conditions = [(HOSTILE.to_owned(), HOSTILE.to_owned())].into();
    record.versions = [(HOSTILE.to_owned(), HOSTILE.to_owned())].into();
    record.git_commit = Some(HOSTILE.into());
    record.plan.suite = HOSTILE.into();
    record.warnings = vec![HOSTILE.into()];
    record.calibration.open_rate_rps = [(HOSTILE.to_owned(), 1000.0)].into();
    record.failed =
        vec![FailedCell { subject: subject("two"), group: Some(Group::Load), round: Some(1), reason: HOSTILE.into() }];
    record.unavailable = vec![UnavailableCell { subject: subject("two"), group: Group::Size, reason: HOSTILE.into() }];
    record.subjects = vec![SubjectRecord {
        subject: subject("two"),
        artifacts: Vec::new(),
        settings: [(HOSTILE.to_owned(), HOSTILE.to_owned())].into(),
        grants: vec![HOSTILE.into()],
    }];
    for platform in &mut record.platforms {
        platform.name += HOSTILE;
        for variant in &mut platform.variants {
            variant.name += HOSTILE;
        }
    }
    let samples = record.plan.subjects.iter().flat_map(|subject| {
        Made::of(subject.clone()).cold(&[("spawn\u{1b}", 1.0), ("load", 2.0)]).memory(2.0, 3.0).samples()
    });
    let samples = samples.collect();
    (record, samples)
}

/// What a terminal obeys, or what reorders text.
fn is_harmful(letter: char) -> bool {
    (letter.is_control() && letter != '\n') || "\u{202e}\u{2066}".contains(letter)
}

#[test]
fn nothing_from_elsewhere_is_obeyed_by_a_terminal() {
    let (record, samples) = hostile();
    let text = shown(&record, &samples, Style { colour: false, width: 100 });
    assert!(text.contains("x\\u{1b}[2J\\u{7}\\u{202e}\\u{2066}\\u{9b}1m"), "{text}");
    assert!(!text.contains(is_harmful), "{text:?}");
    let coloured = shown(&record, &samples, Style { colour: true, width: 100 });
    assert!(!coloured.contains("\u{1b}[2J") && !coloured.contains("\u{202e}"), "{coloured:?}");
}

#[test]
fn nothing_from_elsewhere_is_markup_or_a_path() {
    let (record, samples) = hostile();
    let summary = summarise(&samples, &reference_of(&record));
    let content = content(&record, &summary, &samples);
    let text = markdown(&content);
    assert!(text.contains("&lt;script>"), "{text}");
    assert!(!text.contains(is_harmful) && !text.contains("<script"), "{text}");
    let page = page(&content);
    assert_eq!(page.html.matches("<script").count(), 1, "the page's own");
    assert!(!page.charts.is_empty());
    for chart in &page.charts {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        assert!(chart.name.chars().all(is_plain) && !chart.name.starts_with('.'), "{}", chart.name);
    }
}
