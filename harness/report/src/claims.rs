//! The claims that circulate, and what became of them here.

use tare_model::{Unit, Verdict};
use tare_stats::{Judged, JudgedCase};

use crate::format::{ratio, with_unit};
use crate::marks::{FEW, few};

/// An entry for each claim: its id; verdict, figure, what was measured, and where the answer flips. Those of which nothing
/// was measured share one.
pub(crate) fn claims(judged: &[Judged]) -> Vec<(String, String)> {
    let (measured, others): (Vec<&Judged>, Vec<&Judged>) = judged.iter().partition(|judged| was_measured(judged));
    let mut entries: Vec<_> = measured.iter().map(|judged| (judged.claim.id.clone(), says(judged))).collect();
    entries.extend(too_few(judged).map(|says| (FEW.to_owned(), says)));
    if !entries.is_empty() && !others.is_empty() {
        let ids: Vec<&str> = others.iter().map(|judged| judged.claim.id.as_str()).collect();
        entries.push(("–".into(), format!("not judged, as nothing of them was measured: {}", ids.join(", "))));
    }
    entries
}

/// Whether there is anything to judge a claim by.
pub(crate) fn was_measured(judged: &Judged) -> bool {
    has_estimate(&judged.usual) || has_estimate(&judged.best)
}

fn has_estimate(cases: &[JudgedCase]) -> bool {
    cases.iter().any(|case| case.estimate.is_some())
}

fn says(judged: &Judged) -> String {
    let claim = &judged.claim;
    let verdict = judged.verdict();
    let mut sentences =
        vec![format!("{} (claimed: {}): {}.", verdict.to_string().to_uppercase(), claim.figure, claim.claim)];
    sentences.extend(claim.reading.iter().map(|reading| format!("Read as: {reading}.")));
    // At least one of the two was measured, and what was not says nothing.
    let parts = [("", &judged.usual), ("at best ", &judged.best)].into_iter().filter(|(_, of)| has_estimate(of));
    let parts: Vec<String> = parts.map(|(which, of)| format!("{which}{}", cases(judged, of))).collect();
    sentences.push(format!("Measured: {}.", parts.join("; ")));
    sentences.extend(flips(judged, verdict));
    sentences.join(" ")
}

/// The measured values of a case, service by service. Services on which nothing of it was measured are left out where others
/// have it.
pub(crate) fn cases(judged: &Judged, cases: &[JudgedCase]) -> String {
    let unit = judged.claim.unit();
    let is_shown = |case: &&JudgedCase| case.estimate.is_some() || cases.iter().all(|case| case.estimate.is_none());
    let shown: Vec<&JudgedCase> = cases.iter().filter(is_shown).collect();
    let of_variants = shown.chunk_by(|a, b| (&a.of, &a.over) == (&b.of, &b.over)).map(|cases| {
        let on = cases[0].over.as_ref().map_or_else(String::new, |over| format!(" over {over}"));
        let values: Vec<String> = cases.iter().map(|case| format!("{} {}", case.service, value(case, unit))).collect();
        format!("{}{on}: {}", cases[0].of, values.join(", "))
    });
    of_variants.collect::<Vec<_>>().join("; ")
}

/// What the sign of too few rounds means here; `None` where no value has it.
pub(crate) fn too_few(judged: &[Judged]) -> Option<String> {
    let cases = judged.iter().flat_map(|judged| judged.usual.iter().chain(&judged.best));
    let without = cases.filter(|case| case.interval.is_none());
    few(&without.filter_map(|case| Some(case.estimate?.n)).collect::<Vec<_>>())
}

fn value(case: &JudgedCase, unit: Option<Unit>) -> String {
    let show = |value: f64| unit.map_or_else(|| ratio(value), |unit| with_unit(unit, value));
    match (case.estimate, case.interval) {
        (None, _) => "was not measured".into(),
        (Some(estimate), Some(interval)) if interval.low < interval.high => {
            format!("{} [{}, {}]", show(estimate.median), show(interval.low), show(interval.high))
        }
        (Some(estimate), Some(_)) => show(estimate.median),
        (Some(estimate), None) => format!("{} {FEW}", show(estimate.median)),
    }
}

/// Under which condition the answer is another.
pub(crate) fn flips(judged: &Judged, verdict: Verdict) -> Option<String> {
    if let Some(best) = judged.best_verdict().filter(|best| *best != verdict && *best != Verdict::Undecided) {
        return Some(match verdict {
            _ if !has_estimate(&judged.usual) => {
                format!("Of what is usually shipped nothing was measured; with the best of both sides it {best}.")
            }
            Verdict::Undecided => format!("With the best of both sides it {best}."),
            Verdict::Holds | Verdict::DoesNotHold => {
                format!("The answer flips with the best of both sides: there it {best}.")
            }
        });
    }
    let of = |wanted: Verdict| -> Vec<&str> {
        judged.usual.iter().filter(|case| case.verdict == wanted).map(|case| case.service.as_str()).collect()
    };
    let (yes, no) = (of(Verdict::Holds), of(Verdict::DoesNotHold));
    let mixed = !yes.is_empty() && !no.is_empty();
    mixed.then(|| format!("It depends on the service: it holds for {} and not for {}.", yes.join(", "), no.join(", ")))
}
