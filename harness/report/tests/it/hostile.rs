//! Text from elsewhere that would move a cursor, hide what stands beside it or become markup.

use tare_model::{
    ArtifactRecord, Bound, Case, Claim, FailedCell, Group, IsolationCheck, Outcome, RunRecord, Sample, Subject,
    SubjectRecord, UnavailableCell, Unit, VariantId, Violation,
};
use tare_report::{Content, Other, Style, markdown, page, terminal};
use tare_stats::{judge, summarise};

use crate::example::{Made, content, record, reference_of};

const HOSTILE: &str =
    "=x\u{1b}[2J\u{7}\u{202e}\u{2066}\u{9b}1m<script>alert(1)</script>|*b* _i_ `c` [a](https://host) &lt;b&gt;../../y";

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
        artifacts: vec![ArtifactRecord {
            kind: HOSTILE.into(),
            name: HOSTILE.into(),
            bytes: 1,
            sha256: HOSTILE.into(),
        }],
        settings: [(HOSTILE.to_owned(), HOSTILE.to_owned())].into(),
        grants: vec![HOSTILE.into()],
    }];
    record.calibration.capacity_rps = [(HOSTILE.to_owned(), 1000.0)].into();
    record.isolation = vec![IsolationCheck {
        variant: subject("two").variant_id(),
        violation: Violation::WriteRoot,
        claimed: true,
        outcome: Outcome::Broken,
        detail: HOSTILE.into(),
    }];
    for metric in &mut record.metrics {
        metric.summary += HOSTILE;
    }
    for platform in &mut record.platforms {
        platform.name += HOSTILE;
        for variant in &mut platform.variants {
            variant.name += HOSTILE;
            variant.shows = Some(HOSTILE.into());
        }
    }
    let samples = record.plan.subjects.iter().flat_map(|subject| {
        Made::of(subject.clone()).cold(&[("spawn\u{1b}", 1.0), ("load", 2.0)]).memory(2.0, 3.0).samples()
    });
    let samples = samples.collect();
    (record, samples)
}

/// A claim of which every text is hostile, on what was measured.
fn claims(record: &RunRecord) -> Vec<Claim> {
    let ids: Vec<VariantId> = record.plan.subjects.iter().map(Subject::variant_id).collect();
    vec![Claim {
        id: HOSTILE.into(),
        claim: HOSTILE.into(),
        figure: HOSTILE.into(),
        reading: Some(HOSTILE.into()),
        metrics: vec!["startup_cold".into()],
        phase: None,
        at_least: Some(Bound { value: 1.0, unit: Some(Unit::Nanoseconds) }),
        at_most: None,
        services: Vec::new(),
        usual: Case { of: ids[0].clone().into(), over: None },
        best: Some(Case { of: ids[1].clone().into(), over: None }),
    }]
}

/// The run against itself, with a claim.
fn shown_as<T>(show: impl Fn(&Content<'_>) -> T) -> T {
    let (record, samples) = hostile();
    let summary = summarise(&samples, &reference_of(&record));
    let judged = judge(&claims(&record), &samples);
    let against = Some(Other { record: &record, summary: &summary });
    show(&Content { judged: &judged, against, ..content(&record, &summary, &samples) })
}

/// What a terminal obeys, or what reorders text.
fn is_harmful(letter: char) -> bool {
    (letter.is_control() && letter != '\n') || "\u{202e}\u{2066}".contains(letter)
}

#[test]
fn nothing_from_elsewhere_is_obeyed_by_a_terminal() {
    let text = shown_as(|content| terminal(content, Style { colour: false, width: 100 }));
    assert!(text.contains("x\\u{1b}[2J\\u{7}\\u{202e}\\u{2066}\\u{9b}1m"), "{text}");
    assert!(!text.contains(is_harmful), "{text:?}");
    let coloured = shown_as(|content| terminal(content, Style { colour: true, width: 100 }));
    assert!(!coloured.contains("\u{1b}[2J") && !coloured.contains("\u{202e}"), "{coloured:?}");
}

#[test]
fn nothing_from_elsewhere_is_markup_in_markdown() {
    let text = shown_as(markdown);
    let safe = r"&lt;script>alert(1)&lt;/script>\|\*b\* \_i\_ \`c\` \[a](https://host) &amp;lt;b&amp;gt;";
    assert!(text.contains(safe), "{text}");
    assert!(!text.contains(is_harmful), "{text:?}");
    for markup in ["<script", "*b*", " _i_", "`c`", " [a](", "&lt;b"] {
        assert!(!text.contains(markup), "{markup}: {text}");
    }
    let columns = |line: &&str| line.replace(r"\|", "").matches('|').count();
    let tables: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert!(tables.chunk_by(|a, b| columns(a) == columns(b)).all(|rows| rows.len() > 2), "{text}");
}

#[test]
fn nothing_from_elsewhere_is_markup_on_the_page_or_reorders_it() {
    let page = shown_as(page);
    assert_eq!(page.html.matches("<script").count(), 1, "the page's own");
    assert!(!page.html.contains(is_harmful) && page.html.contains("x\\u{1b}[2J"), "{}", page.html);
    assert!(!page.charts.is_empty());
    for chart in &page.charts {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        assert!(chart.name.chars().all(is_plain) && !chart.name.starts_with('.'), "{}", chart.name);
        assert!(!chart.svg.contains(is_harmful) && !chart.svg.contains("<script"), "{}", chart.svg);
    }
}
