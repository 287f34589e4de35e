//! Footnotes: a mark in a cell, its text below the tables.

use std::collections::BTreeMap;

use tare_model::{FailedCell, Group, Subject};

/// The texts of the marks that were given, numbered from 1.
#[derive(Debug, Default)]
pub(crate) struct Marks(Vec<String>);

impl Marks {
    /// The mark for a text: the same text gets the same mark.
    pub(crate) fn mark(&mut self, text: &str) -> String {
        let known = self.0.iter().position(|other| other == text);
        let place = known.unwrap_or_else(|| {
            self.0.push(text.into());
            self.0.len() - 1
        });
        format!("[{}]", place + 1)
    }

    /// Each mark with its text, as a list has them.
    pub(crate) fn entries(&self) -> Vec<(String, String)> {
        self.texts().map(|(mark, text)| (mark, text.to_owned())).collect()
    }

    /// Each mark with its text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (String, &str)> {
        (1..).zip(&self.0).map(|(number, text): (usize, _)| (format!("[{number}]"), text.as_str()))
    }
}

/// Stands behind a figure of too few rounds for an interval. What that means is said once, below.
pub(crate) const FEW: &str = "~";

/// What [`FEW`] means, of figures of so many rounds each; `None` for no figure.
pub(crate) fn few(rounds: &[usize]) -> Option<String> {
    let (least, most) = (rounds.iter().min()?, rounds.iter().max()?);
    let rounds = match (least, most) {
        (1, 1) => "one round".to_owned(),
        _ if least == most => format!("{least} rounds"),
        _ => format!("{least} to {most} rounds"),
    };
    Some(format!("of {rounds}: too few for a 95 % interval, so that this may be chance"))
}

/// The texts of the failures of a subject that concern a family of metrics (all of them for `None`): one for each
/// reason, with the rounds in which it occurred.
pub(crate) fn failures(failed: &[FailedCell], subject: &Subject, group: Option<Group>) -> Vec<String> {
    let concerned = |cell: &&FailedCell| {
        cell.subject == *subject && group.is_none_or(|group| cell.group.is_none_or(|failed| failed == group))
    };
    let mut order = Vec::new();
    let mut rounds: BTreeMap<(Option<Group>, &str), Vec<u32>> = BTreeMap::new();
    for cell in failed.iter().filter(concerned) {
        let key = (cell.group, cell.reason.as_str());
        if !order.contains(&key) {
            order.push(key);
        }
        rounds.entry(key).or_default().extend(cell.round);
    }
    let text = |key: &(Option<Group>, &str)| {
        let group = key.0.map_or(String::new(), |group| format!(", {}", group.name()));
        format!("{subject}{group}{}: {}", in_rounds(&rounds[key]), key.1.trim_end())
    };
    order.iter().map(text).collect()
}

/// The rounds, as they stand behind a name; empty for none.
pub(crate) fn in_rounds(rounds: &[u32]) -> String {
    let listed: Vec<String> = rounds.iter().map(u32::to_string).collect();
    match &listed[..] {
        [] => String::new(),
        [one] => format!(", round {one}"),
        _ => format!(", rounds {}", listed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_marked_once() {
        let mut marks = Marks::default();
        assert_eq!(["a", "b", "a"].map(|text| marks.mark(text)), ["[1]", "[2]", "[1]"]);
        assert_eq!(marks.texts().collect::<Vec<_>>(), [("[1]".into(), "a"), ("[2]".into(), "b")]);
    }

    #[test]
    fn failures_of_one_reason_are_told_once_and_others_not_mixed_in() {
        let subject = Subject::new("auth", "docker", "debian");
        let cell = |subject: &Subject, group, round, reason: &str| FailedCell {
            subject: subject.clone(),
            group,
            round,
            reason: reason.into(),
        };
        let failed = [
            cell(&subject, Some(Group::Load), Some(2), "reset"),
            cell(&Subject::new("auth", "native", "process"), None, None, "other"),
            cell(&subject, Some(Group::Startup), Some(3), "too late"),
            cell(&subject, Some(Group::Load), Some(5), "reset"),
            cell(&subject, None, None, "no engine"),
        ];
        let load = ["auth/docker/debian, load, rounds 2, 5: reset", "auth/docker/debian: no engine"];
        assert_eq!(failures(&failed, &subject, Some(Group::Load)), load);
        assert_eq!(failures(&failed, &subject, Some(Group::Size)), ["auth/docker/debian: no engine"]);
        assert_eq!(failures(&failed, &subject, None).len(), 3);
    }
}
