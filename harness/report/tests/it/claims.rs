//! The claims section.

use tare_model::{Bound, Case, Claim, Unit, VariantId, Variants};
use tare_report::{Content, Style, markdown, page, terminal};
use tare_stats::{judge, summarise};

use crate::example::{content, full, reference_of};
use crate::foreign::mixed;

/// A claim on the cold start of what is usually shipped.
fn slow_start(of: Variants) -> Claim {
    Claim {
        id: "startup-container".into(),
        claim: "a container takes seconds to start".into(),
        figure: "1 to 10 s".into(),
        reading: Some("cold".into()),
        metrics: vec!["startup_cold".into()],
        phase: None,
        at_least: Some(Bound { value: 1e8, unit: Some(Unit::Nanoseconds) }),
        at_most: None,
        services: Vec::new(),
        usual: Case { of, over: None },
        best: None,
    }
}

#[test]
fn a_claim_is_answered_with_what_was_measured_and_where_the_answer_flips() {
    let (record, samples) = full();
    let usual = VariantId::new("docker", "debian").into();
    let best = Case { of: VariantId::new("docker", "scratch").into(), over: None };
    let claim = Claim { best: Some(best), ..slow_start(usual) };
    let summary = summarise(&samples, &reference_of(&record));
    let judged = judge(&[claim], &samples);
    let content = Content { judged: &judged, ..content(&record, &summary, &samples) };
    let text = terminal(&content, Style { colour: false, width: 200 });
    let claims = text.split("\n\n").find(|part| part.starts_with("Claims\n")).unwrap();
    insta::assert_snapshot!(claims, @r"
    Claims
      startup-container  HOLDS (claimed: 1 to 10 s): a container takes seconds to start. Read as: cold. Measured: docker/debian: orders 210 ms [207 ms, 214 ms]; at best docker/scratch: orders 83.8 ms
                         [82.5 ms, 85.0 ms]. The answer flips with the best of both sides: there it does not hold.
    ");
}

#[test]
fn each_value_of_a_claim_stands_with_its_variant_and_no_other_does() {
    let (record, samples) = mixed();
    let summary = summarise(&samples, &reference_of(&record));
    let shown = |of: &[&str]| {
        let of = Variants(of.iter().map(|id| id.parse().unwrap()).collect());
        let judged = judge(&[slow_start(of)], &samples);
        let content = Content { judged: &judged, ..content(&record, &summary, &samples) };
        let text = terminal(&content, Style { colour: false, width: 300 });
        text.split_once("Measured: ").unwrap().1.lines().next().unwrap().to_owned()
    };
    insta::assert_snapshot!(shown(&["docker/debian", "docker/image"]), @"docker/debian: orders 209 ms [206 ms, 213 ms]; docker/image: orders:go 190 ms [187 ms, 193 ms].");
    insta::assert_snapshot!(shown(&["docker/debian"]), @"docker/debian: orders 209 ms [206 ms, 213 ms].");
}

#[test]
fn that_there_are_too_few_rounds_is_said_once_for_all_claims() {
    let (record, samples) = full();
    let summary = summarise(&samples, &reference_of(&record));
    let on = |variant: &str, id: &str| Claim {
        id: id.into(),
        metrics: vec!["throughput".into()],
        at_least: Some(Bound { value: 100.0, unit: Some(Unit::RequestsPerSecond) }),
        ..slow_start(variant.parse::<VariantId>().unwrap().into())
    };
    let judged = judge(&[on("docker/debian", "one"), on("docker/scratch", "two")], &samples);
    let content = Content { judged: &judged, ..content(&record, &summary, &samples) };
    let text = terminal(&content, Style { colour: false, width: 200 });
    let claims = text.split("\n\n").find(|part| part.starts_with("Claims\n")).unwrap();
    insta::assert_snapshot!(claims, @r"
    Claims
      one  UNDECIDED (claimed: 1 to 10 s): a container takes seconds to start. Read as: cold. Measured: docker/debian: orders 7,820 requests/s ~.
      two  UNDECIDED (claimed: 1 to 10 s): a container takes seconds to start. Read as: cold. Measured: docker/scratch: orders 51,486 requests/s ~.
      ~    of 3 rounds: too few for a 95 % interval, so that this may be chance
    ");
    let (text, html) = (markdown(&content), page(&content).html);
    for (shown, end) in [(&text, "## Failed"), (&html, "id=\"figures\"")] {
        let claims = shown.split("Claimed and measured").last().unwrap().split(end).next().unwrap();
        assert_eq!(claims.matches("too few").count(), 1, "{claims}");
    }
}
