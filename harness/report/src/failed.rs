//! What is told of a run in which every subject failed: why, and what to do. All else would be empty tables.

use tare_model::{RunRecord, Sample, Subject};

use crate::content::Content;
use crate::marks::in_rounds;

/// What is said first.
pub(crate) const NOTHING: &str = "Every subject failed, so there is nothing to compare.";

/// What to do about it.
pub(crate) const TO_DO: &[&str] = &[
    "Where a reason says what was asked and what was answered, either the service is wrong, or what its service.toml or \
     scenario.toml expects: correct one of them.",
    "`tare doctor --service PATH` (or with the flags of this run) tells what of a service can be measured here.",
    "`--rounds 1 --only startup` tries it again in the shortest time.",
];

/// Whether each subject of the plan failed as a whole, and nothing but what is taken once per run (sizes) was measured.
pub(crate) fn is_all(content: &Content<'_>) -> bool {
    let Content { record, samples, .. } = *content;
    let has_failed =
        |subject: &Subject| record.failed.iter().any(|cell| cell.group.is_none() && cell.subject == *subject);
    let is_of_round = |sample: &Sample| sample.round > 0;
    let subjects = &record.plan.subjects;
    !subjects.is_empty() && subjects.iter().all(has_failed) && !samples.iter().any(is_of_round)
}

/// A subject with the rounds in which it failed.
type InRounds<'a> = (&'a Subject, Vec<u32>);

/// The reasons, each once, with the subjects that failed for it: those of the same rounds together.
pub(crate) fn reasons(record: &RunRecord) -> Vec<String> {
    let mut found: Vec<(&str, Vec<InRounds<'_>>)> = Vec::new();
    for cell in &record.failed {
        let reason = cell.reason.trim_end();
        let place = found.iter().position(|(known, _)| *known == reason).unwrap_or_else(|| {
            found.push((reason, Vec::new()));
            found.len() - 1
        });
        let subjects = &mut found[place].1;
        match subjects.iter_mut().find(|(subject, _)| **subject == cell.subject) {
            Some((_, rounds)) => rounds.extend(cell.round),
            None => subjects.push((&cell.subject, cell.round.into_iter().collect())),
        }
    }
    let text = |(reason, mut subjects): (&str, Vec<InRounds<'_>>)| {
        // Stable: subjects stay in their order.
        subjects.sort_by(|(_, a), (_, b)| a.cmp(b));
        let together = subjects.chunk_by(|(_, a), (_, b)| a == b).map(|subjects| {
            let names: Vec<String> = subjects.iter().map(|(subject, _)| subject.to_string()).collect();
            names.join(", ") + &in_rounds(&subjects[0].1)
        });
        format!("{}: {reason}", together.collect::<Vec<_>>().join("; "))
    };
    found.into_iter().map(text).collect()
}
