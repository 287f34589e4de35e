//! The claims section.

use tare_model::{Bound, Case, Claim, Unit};
use tare_report::{Content, Sides, Style, terminal};
use tare_stats::{Reference, judge, summarise};

use crate::example::{content, full};

#[test]
fn a_claim_is_answered_with_what_was_measured_and_where_the_answer_flips() {
    let (record, samples) = full();
    let claim = Claim {
        id: "startup-container".into(),
        claim: "a container takes seconds to start".into(),
        figure: "1 to 10 s".into(),
        reading: Some("cold".into()),
        metrics: vec!["startup_cold".into()],
        phase: None,
        at_least: Some(Bound { value: 1e8, unit: Some(Unit::Nanoseconds) }),
        at_most: None,
        services: Vec::new(),
        usual: Case { of: "docker/debian".into(), over: None },
        best: Some(Case { of: "docker/scratch".into(), over: None }),
    };
    let summary = summarise(&samples, &Reference::new("native", "musl"));
    let judged = judge(&[claim], &samples);
    let sides = Sides::default();
    let content = Content { judged: &judged, ..content(&record, &summary, &samples, &sides) };
    let text = terminal(&content, Style { colour: false, width: 200 });
    let claims = text.split("\n\n").find(|part| part.starts_with("Claims\n")).unwrap();
    insta::assert_snapshot!(claims, @r"
    Claims
      startup-container  HOLDS: a container takes seconds to start (1 to 10 s). Read as: cold. Measured: docker/debian: orders 210 ms [207 ms, 214 ms]; at best docker/scratch: orders 83.8 ms [82.5 ms,
                         85.0 ms]. The answer flips with the best of both sides: there it does not hold.
    ");
}
