//! How wide text gets, whatever the names in it are.

use proptest::prelude::*;
use tare_model::{
    Bound, Case, Claim, Group, IsolationCheck, Outcome, RunRecord, Sample, Subject, SubjectRecord, UnavailableCell,
    Unit, VariantId, Violation,
};
use tare_report::{Content, Other, Style, terminal};
use tare_stats::{judge, summarise};

use crate::example::{Made, content, failed, record, reference_of};

/// What each list and each running text begins with. All else are tables, which are as wide as what is in their columns.
const PROSE: [&str; 16] = [
    "Controls, measured",
    "Portability,",
    "Claims",
    "What settings are worth",
    "Noise",
    "How to read it",
    "Marks",
    "Cannot be measured",
    "Warnings",
    "Conditions",
    "What was tried",
    "Against the other run",
    "The answer",
    "where the time",
    "Why",
    "What to do",
];

/// Lengths of texts that come from elsewhere.
#[derive(Debug, Clone)]
struct Lengths {
    /// Of the names of a service, an implementation and a variant.
    names: [usize; 3],
    phase: usize,
    /// Of a word in running text: a path or an address.
    word: usize,
    has_failed: bool,
}

fn lengths() -> impl Strategy<Value = Lengths> {
    let names = [1..=64_usize, 1..=64, 1..=64];
    (names, 1..=128_usize, 1..=300_usize, any::<bool>()).prop_map(|(names, phase, word, has_failed)| Lengths {
        names,
        phase,
        word,
        has_failed,
    })
}

/// A run with something in every list.
fn run(lengths: &Lengths) -> (RunRecord, Vec<Sample>, Vec<Claim>) {
    let [service, implementation, variant] = lengths.names.map(|length| "n".repeat(length));
    let [one, two] = ["wasmtime", "docker"].map(|platform| Subject {
        service: service.clone(),
        implementation: implementation.clone(),
        platform: platform.into(),
        variant: variant.clone(),
    });
    let text = format!("so it is: {} and more of it", "w".repeat(lengths.word));
    let mut record = record(&[&one.to_string(), &two.to_string()]);
    record.warnings = vec![text.clone()];
    record.versions = [(text.clone(), text.clone())].into();
    record.host.conditions = [(text.clone(), text.clone())].into();
    record.command = vec![text.clone()];
    let rounds = if lengths.has_failed { None } else { Some(Group::Load) };
    record.failed = [&one, &two].map(|subject| failed(&subject.to_string(), rounds, Some(1), &text)).into();
    let unavailable = UnavailableCell { subject: two.clone(), group: Group::Density, reason: text.clone() };
    record.unavailable = vec![unavailable];
    record.subjects = [&one, &two]
        .map(|subject| SubjectRecord {
            subject: subject.clone(),
            artifacts: Vec::new(),
            settings: [(text.clone(), text.clone())].into(),
            grants: vec![text.clone()],
        })
        .into();
    for platform in &mut record.platforms {
        for variant in &mut platform.variants {
            variant.name.clone_from(&one.variant);
            variant.shows = Some(text.clone());
        }
    }
    record.isolation = vec![IsolationCheck {
        variant: two.variant_id(),
        violation: Violation::Connect,
        claimed: true,
        outcome: Outcome::Broken,
        detail: text.clone(),
    }];
    let phase = "p".repeat(lengths.phase);
    let samples = if lengths.has_failed {
        Vec::new()
    } else {
        let made = [(&one, 1.0), (&two, 2.0)]
            .map(|(subject, value)| Made::of(subject.clone()).cold(&[(&phase, value)]).samples());
        made.concat()
    };
    let claim = Claim {
        id: "i".repeat(lengths.word),
        claim: text.clone(),
        figure: text.clone(),
        reading: Some(text),
        metrics: vec!["startup_cold".into()],
        phase: None,
        at_least: Some(Bound { value: 1.0, unit: Some(Unit::Nanoseconds) }),
        at_most: None,
        services: Vec::new(),
        usual: Case { of: VariantId::new("docker", &two.variant).into(), over: None },
        best: None,
    };
    (record, samples, vec![claim])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_line_of_prose_is_wider_than_the_terminal(lengths in lengths(), width in 72_usize..=100) {
        let (record, samples, claims) = run(&lengths);
        let summary = summarise(&samples, &reference_of(&record));
        let judged = judge(&claims, &samples);
        let against = Some(Other { record: &record, summary: &summary });
        let content = Content { judged: &judged, against, ..content(&record, &summary, &samples) };
        let text = terminal(&content, Style { colour: false, width });
        let mut seen = 0;
        for part in text.split("\n\n").filter(|part| PROSE.iter().any(|heading| part.starts_with(heading))) {
            seen += 1;
            for line in part.lines() {
                prop_assert!(line.chars().count() <= width, "more than {width} columns: {line}");
            }
        }
        prop_assert!(seen >= if lengths.has_failed { 2 } else { 9 }, "{text}");
    }
}
