//! What was tried from inside of each variant, and what came of it.

use std::collections::BTreeMap;

use tare_model::{IsolationCheck, Outcome, RunRecord, Side, VariantId, Violation};

use crate::content::Style;
use crate::layout::{TableCell, TextColumn, heading, list, table};
use crate::paint::{BAD, DIM, PLAIN, Piece};

/// The variants that were probed, in the order of the record.
pub(crate) fn variants(record: &RunRecord) -> Vec<&VariantId> {
    let mut variants: Vec<&VariantId> = Vec::new();
    for check in &record.isolation {
        if !variants.contains(&&check.variant) {
            variants.push(&check.variant);
        }
    }
    variants
}

/// The check of a violation in a variant; `None` where it was not tried.
pub(crate) fn check<'a>(
    record: &'a RunRecord,
    variant: &VariantId,
    violation: Violation,
) -> Option<&'a IsolationCheck> {
    record.isolation.iter().find(|check| check.variant == *variant && check.violation == violation)
}

/// Each violation as a heading has it.
pub(crate) fn title(violation: Violation) -> &'static str {
    match violation {
        Violation::ReadFile => "file",
        Violation::SeeEnvironment => "variable",
        Violation::Connect => "loopback",
        Violation::WriteRoot => "root",
        Violation::GainPrivileges => "privileges",
        Violation::ExceedTasks => "threads",
        Violation::ExceedMemory => "memory",
    }
}

/// The cell of an outcome, and what it means.
pub(crate) fn shown(outcome: Outcome) -> (Piece, &'static str) {
    let (word, style, says) = match outcome {
        Outcome::Held => ("held", PLAIN, "tried from inside, and prevented as the variant claims"),
        Outcome::Broken => ("BROKEN", BAD, "done, though the variant claims to prevent it"),
        Outcome::Open => ("open", DIM, "done; the variant does not claim to prevent it"),
        Outcome::Closed => ("closed", DIM, "not done, though the variant does not claim to prevent it"),
        Outcome::Void => ("void", DIM, "shows nothing on this machine"),
    };
    (Piece::new(word, style), says)
}

/// A line per variant, a column per violation; below it what the words mean and what a plain process shows. `None` where
/// nothing was probed.
pub(crate) fn isolation(record: &RunRecord, style: Style) -> Option<String> {
    let variants = variants(record);
    if variants.is_empty() {
        return None;
    }
    let cell = |variant: &VariantId, violation: Violation| {
        let found = check(record, variant, violation);
        TableCell::Whole(vec![found.map_or_else(|| Piece::new("–", DIM), |check| shown(check.outcome).0)])
    };
    let columns: Vec<TextColumn> = Violation::ALL
        .iter()
        .map(|&violation| TextColumn {
            section: "what a probe tried from inside".into(),
            title: title(violation).into(),
            cells: variants.iter().map(|variant| cell(variant, violation)).collect(),
        })
        .collect();
    let labels: Vec<Piece> = variants.iter().map(|variant| Piece::new(variant.to_string(), PLAIN)).collect();
    let heading = heading("Isolation", style);
    let table = table(&labels, &columns, style.width, style.colour);
    Some(format!("{heading}\n{table}\n{}", list("What was tried", &explained(record), style)))
}

/// What was tried, the words that were shown, and the reasons that a reader must know.
pub(crate) fn explained(record: &RunRecord) -> Vec<(String, String)> {
    let checks = &record.isolation;
    let tried = "read a file of the host; see a variable of the harness's environment; reach a service on the host's \
                 loopback (127.0.0.1); write to the root folder; be root, have capabilities or gain them; run more threads \
                 and use more memory than allowed";
    let mut entries = vec![("tried".to_owned(), tried.to_owned())];
    entries.extend(loopback(record).map(|says| ("loopback".to_owned(), says)));
    entries.push(("control".to_owned(), control(record)));
    let mut outcomes: Vec<Outcome> = checks.iter().map(|check| check.outcome).collect();
    outcomes.sort_unstable();
    outcomes.dedup();
    for outcome in outcomes {
        let (word, says) = shown(outcome);
        let reasons = reasons(checks.iter().filter(|check| check.outcome == outcome));
        let needs_reasons = matches!(outcome, Outcome::Broken | Outcome::Void);
        let says = if needs_reasons { format!("{says}: {}", reasons.join("; ")) } else { says.to_owned() };
        entries.push((word.text, says));
    }
    entries
}

/// What the loopback address is to the sides that were probed; `None` where neither was.
fn loopback(record: &RunRecord) -> Option<String> {
    let is_probed = |side: Side| {
        let mut of_side = record.platforms.iter().filter(|platform| platform.side == Some(side));
        of_side.any(|platform| record.isolation.iter().any(|check| check.variant.platform == platform.name))
    };
    let says = [
        (Side::Container, "a container on a bridge has a loopback of its own, but still reaches other addresses"),
        (Side::Wasm, "a component is granted no sockets at all"),
    ];
    let says: Vec<&str> = says.into_iter().filter(|(side, _)| is_probed(*side)).map(|(_, says)| says).collect();
    (!says.is_empty()).then(|| says.join("; "))
}

/// How attempts went, with the violations and the variants of which that is said.
fn reasons<'a>(checks: impl Iterator<Item = &'a IsolationCheck>) -> Vec<String> {
    let mut by_violation: BTreeMap<(Violation, &str), Vec<String>> = BTreeMap::new();
    for check in checks {
        by_violation.entry((check.violation, &check.detail)).or_default().push(check.variant.to_string());
    }
    let mut groups: Vec<(Vec<&str>, Vec<String>, &str)> = Vec::new();
    for ((violation, detail), variants) in by_violation {
        match groups.iter_mut().find(|(_, of, how)| (of, *how) == (&variants, detail)) {
            Some((violations, ..)) => violations.push(title(violation)),
            None => groups.push((vec![title(violation)], variants, detail)),
        }
    }
    let text = |(violations, variants, detail): (Vec<&str>, Vec<String>, &str)| {
        format!("{} of {} ({detail})", violations.join(", "), variants.join(", "))
    };
    groups.into_iter().map(text).collect()
}

/// What a plain process shows: that an attempt that is not prevented is seen to succeed. It is of neither side and claims
/// to prevent nothing.
fn control(record: &RunRecord) -> String {
    let of_no_side = record.platforms.iter().filter(|platform| platform.side.is_none());
    let plain: Vec<&str> = of_no_side.map(|platform| platform.name.as_str()).collect();
    let of_plain: Vec<&IsolationCheck> = record
        .isolation
        .iter()
        .filter(|check| !check.claimed && plain.contains(&check.variant.platform.as_str()))
        .collect();
    let done = of_plain.iter().filter(|check| check.outcome == Outcome::Open).count();
    match (of_plain.first(), of_plain.len()) {
        (None, _) => "no plain process was probed: that an attempt could succeed at all was not shown".to_owned(),
        (Some(check), all) if done == all => {
            format!("{}, which nothing isolates, did all {all}: the probes can tell", check.variant)
        }
        (Some(check), all) => {
            format!(
                "{}, which nothing isolates, did {done} of {all}: the probes can tell for these only",
                check.variant
            )
        }
    }
}
