//! The words of an answer.

use tare_model::VariantId;

use super::compare::{Answered, Winner};
use crate::format::number;

/// A sentence that names the winner of each question, and where `pairs` is set, between whom.
pub(super) fn sentence(when: &str, answered: &[Answered], pairs: bool) -> Option<String> {
    let of = |winner: Winner| answered.iter().filter(move |found| found.winner == winner);
    let between = |Answered { pair: (wasm, container), winner, .. }: &Answered| match (pairs, winner) {
        (false, _) => String::new(),
        (true, Winner::Second) => format!(" ({container} against {wasm})"),
        (true, _) => format!(" ({wasm} against {container})"),
    };
    let called = |found: &Answered| found.question.called.to_owned();
    let mut parts = Vec::new();
    for (side, winner) in [("Wasm", Winner::First), ("the container", Winner::Second)] {
        let wins: Vec<String> =
            of(winner).map(|found| found.question.wins.replace("{}", &factor(found)) + &between(found)).collect();
        if !wins.is_empty() {
            parts.push(format!("{side} {}", and(&wins)));
        }
    }
    let level: Vec<String> = of(Winner::Undecided).map(|found| called(found) + &between(found)).collect();
    if !level.is_empty() {
        let on = if answered.iter().any(|found| found.services > 1) { " on all services" } else { "" };
        parts.push(format!("{} cannot be told apart{on}", and(&level)));
    }
    (!parts.is_empty()).then(|| format!("{when} {}.", parts.join("; ")))
}

/// What was answered without an interval, each question once; `None` for nothing.
pub(super) fn doubt<'a>(answered: impl Iterator<Item = &'a Answered>) -> Option<String> {
    let mut few: Vec<String> = Vec::new();
    for found in answered.filter(|found| !found.sure) {
        if !few.iter().any(|known| known == found.question.called) {
            few.push(found.question.called.to_owned());
        }
    }
    (!few.is_empty()).then(|| format!("Too few rounds for an interval: {}.", and(&few)))
}

/// Which winners depend on the pair that is compared; `None` where there is nothing to tell.
pub(super) fn flips(best: &[Answered], usual: &[Answered]) -> Option<String> {
    let pairs: Vec<(&Answered, &Answered)> = best
        .iter()
        .filter_map(|one| Some((one, usual.iter().find(|other| other.question.called == one.question.called)?)))
        .collect();
    let flipped: Vec<String> = pairs
        .iter()
        .filter(|(one, other)| one.winner != other.winner)
        .map(|(one, other)| {
            format!("{} ({} at best, {} with defaults)", one.question.called, name(one.winner), name(other.winner))
        })
        .collect();
    let same: Vec<String> = pairs
        .iter()
        .filter(|(one, other)| one.winner == other.winner && one.winner != Winner::Undecided)
        .map(|(one, _)| one.question.called.to_owned())
        .collect();
    match (flipped.is_empty(), same.is_empty()) {
        (true, true) => None,
        (true, false) => Some(format!("The winner is the same whichever pair is compared: {}.", and(&same))),
        (false, true) => Some(format!("Which pair is compared decides who wins: {}.", and(&flipped))),
        (false, false) => Some(format!(
            "Which pair is compared decides who wins {}; it makes no difference for {}.",
            and(&flipped),
            and(&same)
        )),
    }
}

/// Which variants of one side are best, each with all that it is best in; `None` for none.
pub(super) fn leading(when: &str, found: &[(Vec<&VariantId>, &str)]) -> Option<String> {
    let mut groups: Vec<(&[&VariantId], Vec<String>)> = Vec::new();
    for (leaders, best) in found {
        match groups.iter_mut().find(|(of, _)| of == leaders) {
            Some((_, wins)) => wins.push((*best).to_owned()),
            None => groups.push((leaders, vec![(*best).to_owned()])),
        }
    }
    let part = |(leaders, wins): &(&[&VariantId], Vec<String>)| {
        let names: Vec<String> = leaders.iter().map(ToString::to_string).collect();
        let apart = if names.len() > 1 { " (not told apart)" } else { "" };
        format!("{}{apart} {}", names.join(" or "), and(wins))
    };
    let parts: Vec<String> = groups.iter().map(part).collect();
    (!parts.is_empty()).then(|| format!("{when} {}.", parts.join("; ")))
}

fn name(winner: Winner) -> &'static str {
    match winner {
        Winner::First => "Wasm",
        Winner::Second => "the container",
        Winner::Undecided => "undecided",
    }
}

fn factor(found: &Answered) -> String {
    let (low, high) = (number(found.factors.0), number(found.factors.1));
    match found.interval {
        Some(interval) => format!("{low} [{}, {}]", number(interval.low), number(interval.high)),
        None if low == high => low,
        None => format!("{low} to {high}"),
    }
}

fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
