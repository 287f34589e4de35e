//! What is still to be measured in a run, and how long that will take.

use std::time::Duration;

use tare_model::{Group, Settled, Subject};

/// Rounds that everything is measured in before it is judged: the fewest that have a 95 % interval.
const JUDGED_FROM: u32 = 6;

/// See the module.
pub struct Agenda {
    subjects: Vec<Entry>,
    /// The `platform/variant` to which the others are compared: it is measured for as long as any of its service is.
    reference: String,
    judged: bool,
}

struct Entry {
    subject: Subject,
    /// The families that are still measured, and in how many more rounds before they are judged again.
    due: Vec<(Group, usize)>,
    /// How long the subject took so far, and in how many rounds.
    took: (Duration, u32),
}

impl Agenda {
    /// All these families are due of these subjects. Sizes are not of the rounds.
    pub fn new(subjects: impl IntoIterator<Item = (Subject, Vec<Group>)>, reference: &str) -> Self {
        let entry = |(subject, groups): (Subject, Vec<Group>)| {
            let due = groups.into_iter().filter(|group| *group != Group::Size).map(|group| (group, 1)).collect();
            Entry { subject, due, took: (Duration::ZERO, 0) }
        };
        Self { subjects: subjects.into_iter().map(entry).collect(), reference: reference.into(), judged: false }
    }

    /// What is to be measured of a subject, by its index.
    pub fn due(&self, index: usize) -> Vec<Group> {
        self.entry_due(&self.subjects[index]).iter().map(|(group, _)| *group).collect()
    }

    fn entry_due(&self, entry: &Entry) -> Vec<(Group, usize)> {
        if entry.subject.setting() != self.reference {
            return entry.due.clone();
        }
        let mut due: Vec<(Group, usize)> = Vec::new();
        let of_service = self.subjects.iter().filter(|other| other.subject.service == entry.subject.service);
        for (group, more) in of_service.flat_map(|other| &other.due) {
            match due.iter_mut().find(|(known, _)| known == group) {
                Some((_, most)) => *most = (*most).max(*more),
                None => due.push((*group, *more)),
            }
        }
        due
    }

    /// A subject was measured in a round, and took so long.
    pub fn took(&mut self, index: usize, time: Duration) {
        let took = &mut self.subjects[index].took;
        *took = (took.0 + time, took.1 + 1);
    }

    /// A subject is not measured any more.
    pub fn drop(&mut self, index: usize) {
        self.subjects[index].due.clear();
    }

    /// After a round: asks of what is due how many more rounds it wants, and gives what wants none. What wants some is asked
    /// again when it has had them: looking after every round would stop at the luckiest one.
    pub fn judge(&mut self, round: u32, mut wanted: impl FnMut(&Subject, Group) -> Option<usize>) -> Vec<Settled> {
        let mut settled = Vec::new();
        if round < JUDGED_FROM {
            return settled;
        }
        self.judged = true;
        for Entry { subject, due, .. } in &mut self.subjects {
            due.retain_mut(|(group, more)| {
                *more = more.saturating_sub(1);
                if *more > 0 {
                    return true;
                }
                let judged = wanted(subject, *group);
                if judged == Some(0) {
                    settled.push(Settled { subject: subject.clone(), group: *group, round });
                }
                *more = judged.unwrap_or(0);
                *more > 0
            });
        }
        settled
    }

    /// Whether nothing is due any more.
    pub fn is_done(&self) -> bool {
        self.subjects.iter().all(|entry| entry.due.is_empty())
    }

    /// How long a round of what is due takes, judged by those before.
    pub fn round(&self) -> Duration {
        self.subjects.iter().filter(|entry| !self.entry_due(entry).is_empty()).map(Entry::mean).sum()
    }

    /// How long the rest takes: until all is precise, as far as that can be told, but no longer than the time allotted or
    /// the rounds that are left.
    pub fn left(&self, limit: Duration, rounds: u32) -> Duration {
        let round = self.round();
        // The last round does not end at the limit but somewhere within a round before it.
        let limit = limit.saturating_sub(round / 2).min(round * rounds);
        if !self.judged {
            return limit;
        }
        let rest = self.subjects.iter().map(|entry| {
            let more = self.entry_due(entry).iter().map(|(_, more)| *more).max().unwrap_or(0);
            entry.mean() * u32::try_from(more).unwrap_or(u32::MAX).min(rounds)
        });
        rest.sum::<Duration>().min(limit)
    }
}

impl Entry {
    fn mean(&self) -> Duration {
        self.took.0.checked_div(self.took.1).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn agenda() -> Agenda {
        let subjects = ["auth/native/process", "auth/docker/debian", "orders/native/process", "orders/docker/debian"];
        let groups = [Group::Size, Group::Startup, Group::Load];
        let subjects = subjects.map(|subject| (subject.parse().unwrap(), groups.to_vec()));
        let mut agenda = Agenda::new(subjects, "native/process");
        (0..4).for_each(|index| agenda.took(index, SECOND));
        agenda
    }

    #[test]
    fn what_is_precise_is_due_no_more_but_for_the_reference_of_others() {
        let mut agenda = agenda();
        assert_eq!(agenda.due(1), [Group::Startup, Group::Load]);
        assert_eq!(agenda.judge(5, |_, _| Some(0)), [], "five rounds have no interval");
        let settled = agenda.judge(6, |subject, group| {
            Some(usize::from(subject.to_string() == "auth/docker/debian" && group == Group::Load))
        });
        assert_eq!(settled.len(), 7);
        assert_eq!(settled[0].round, 6);
        assert_eq!((agenda.due(0), agenda.due(1)), (vec![Group::Load], vec![Group::Load]));
        assert_eq!((agenda.due(2), agenda.due(3)), (vec![], vec![]));
        assert!(!agenda.is_done());
        assert_eq!(agenda.judge(7, |_, _| Some(0)).len(), 1);
        assert!(agenda.is_done() && agenda.due(0).is_empty());
    }

    #[test]
    fn the_time_left_is_what_is_wanted_and_no_more_than_what_is_allotted() {
        let mut agenda = agenda();
        assert_eq!(agenda.round(), 4 * SECOND);
        assert_eq!(agenda.left(100 * SECOND, 10), 40 * SECOND, "before anything is judged, the rounds");
        assert_eq!(agenda.left(20 * SECOND, 10), 18 * SECOND, "or the time");
        agenda.judge(6, |subject, _| Some(if subject.service == "auth" { 3 } else { 0 }));
        assert_eq!(agenda.round(), 2 * SECOND);
        assert_eq!(agenda.left(100 * SECOND, 10), 6 * SECOND);
        assert_eq!(agenda.left(5 * SECOND, 10), 4 * SECOND);
        assert_eq!(agenda.left(100 * SECOND, 2), 4 * SECOND);
    }

    #[test]
    fn what_wants_more_rounds_is_not_judged_before_it_had_them() {
        let mut agenda = agenda();
        agenda.judge(6, |_, _| Some(3));
        for round in [7, 8] {
            assert_eq!(agenda.judge(round, |_, _| panic!("too early")), []);
        }
        assert_eq!(agenda.judge(9, |_, _| Some(0)).len(), 8);
    }

    #[test]
    fn what_has_no_figure_is_due_no_more_and_not_called_precise() {
        let mut agenda = agenda();
        assert_eq!(agenda.judge(6, |_, _| None), []);
        assert!(agenda.is_done());
    }

    #[test]
    fn a_subject_that_was_given_up_is_due_no_more() {
        let mut agenda = agenda();
        agenda.drop(3);
        assert_eq!(agenda.due(3), []);
        agenda.drop(1);
        agenda.drop(0);
        assert_eq!(agenda.due(0), []);
        assert_eq!(agenda.due(2), [Group::Startup, Group::Load]);
    }
}
