//! What is still to be measured in a run, and how long that will take.

use std::collections::BTreeMap;
use std::time::Duration;

use tare_model::{Converged, Group, Subject};

/// Rounds that everything is measured in before it is judged: the fewest that have a 95 % interval.
const JUDGED_FROM: u32 = 6;

/// What is measured in a round besides what is measured in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rotation {
    /// Nothing.
    None,
    /// The sweep of rates.
    Sweep,
    /// Several instances beside each other.
    Density,
}

impl Rotation {
    /// What is measured in a round, counted from 1; each is in one of so many rounds, of which there are three at least.
    pub fn of(round: u32, rotation: u32) -> Self {
        match round % rotation {
            1 => Self::Sweep,
            2 => Self::Density,
            _ => Self::None,
        }
    }
}

/// Which families of metrics are measured of which subject in a round.
pub struct Scheduler {
    subjects: Vec<Entry>,
    /// Each of what takes long is measured in one of so many rounds.
    rotation: u32,
    /// Whether several instances are in the rotation: where there is no load, there is no sweep that takes long as well.
    density_rotates: bool,
    /// What the others of a service are compared with: it is measured for as long as any of them is.
    reference: BTreeMap<String, Subject>,
    judged: bool,
}

struct Entry {
    subject: Subject,
    /// The families that are still measured, and in how many more of their rounds before they are judged again.
    due: Vec<(Group, usize)>,
    /// How long the subject took so far, and in how many rounds, by what was measured in them.
    took: BTreeMap<Rotation, (Duration, u32)>,
}

impl Scheduler {
    /// All these families are due of these subjects. Sizes are not of the rounds.
    pub fn new(
        subjects: impl IntoIterator<Item = (Subject, Vec<Group>)>,
        reference: &BTreeMap<String, Subject>,
        rotation: u32,
    ) -> Self {
        let entry = |(subject, groups): (Subject, Vec<Group>)| {
            let due = groups.into_iter().filter(|group| *group != Group::Size).map(|group| (group, 1)).collect();
            Entry { subject, due, took: BTreeMap::new() }
        };
        let subjects: Vec<Entry> = subjects.into_iter().map(entry).collect();
        let loads = |entry: &Entry| entry.due.iter().any(|(group, _)| *group == Group::Load);
        let density_rotates = subjects.iter().any(loads);
        Self { subjects, rotation, density_rotates, reference: reference.clone(), judged: false }
    }

    /// What is to be measured of a subject in a round, by its index.
    pub fn due(&self, index: usize, round: u32) -> Vec<Group> {
        let due = self.entry_due(&self.subjects[index]).into_iter().map(|(group, _)| group);
        due.filter(|group| self.is_measured_in(*group, round)).collect()
    }

    /// Whether a family is measured in a round.
    fn is_measured_in(&self, group: Group, round: u32) -> bool {
        group != Group::Density || !self.density_rotates || Rotation::of(round, self.rotation) == Rotation::Density
    }

    /// What is measured of a subject that takes long, in a round in which these families are.
    fn rotation(&self, measured: &[Group], round: u32) -> Rotation {
        if measured.contains(&Group::Density) {
            return Rotation::Density;
        }
        let is_sweep = measured.contains(&Group::Load) && Rotation::of(round, self.rotation) == Rotation::Sweep;
        if is_sweep { Rotation::Sweep } else { Rotation::None }
    }

    fn entry_due(&self, entry: &Entry) -> Vec<(Group, usize)> {
        if self.reference.get(&entry.subject.service) != Some(&entry.subject) {
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
    pub fn took(&mut self, index: usize, round: u32, time: Duration) {
        let rotation = self.rotation(&self.due(index, round), round);
        let took = self.subjects[index].took.entry(rotation).or_default();
        *took = (took.0 + time, took.1 + 1);
    }

    /// Something more of a subject took so long in a round.
    pub fn took_more(&mut self, index: usize, round: u32, time: Duration) {
        let rotation = self.rotation(&self.due(index, round), round);
        self.subjects[index].took.entry(rotation).or_default().0 += time;
    }

    /// A subject is not measured any more.
    pub fn drop(&mut self, index: usize) {
        self.subjects[index].due.clear();
    }

    /// After a round: asks of what was measured in it how many more rounds it wants, and returns what wants none. What wants some
    /// is asked again when it has had them: looking after every round would stop at the luckiest one.
    pub fn judge(&mut self, round: u32, mut wanted: impl FnMut(&Subject, Group) -> Option<usize>) -> Vec<Converged> {
        let mut converged = Vec::new();
        if round < JUDGED_FROM {
            return converged;
        }
        self.judged = true;
        let measured: Vec<Group> =
            Group::ALL.iter().copied().filter(|group| self.is_measured_in(*group, round)).collect();
        for Entry { subject, due, .. } in &mut self.subjects {
            due.retain_mut(|(group, more)| {
                if measured.contains(group) {
                    *more = more.saturating_sub(1);
                }
                if *more > 0 {
                    return true;
                }
                let judged = wanted(subject, *group);
                if judged == Some(0) {
                    converged.push(Converged { subject: subject.clone(), group: *group, round });
                }
                *more = judged.unwrap_or(0);
                *more > 0
            });
        }
        converged
    }

    /// Whether nothing is due any more.
    pub fn is_done(&self) -> bool {
        self.subjects.iter().all(|entry| entry.due.is_empty())
    }

    /// How long what is due takes in a round, judged by those before in which the same was measured.
    pub fn round(&self, round: u32) -> Duration {
        (0..self.subjects.len()).map(|index| self.takes(index, &self.due(index, round), round)).sum()
    }

    /// How long the rest takes, from within a round of which these subjects are still to come: until all is precise, as far
    /// as that can be told, but no longer than the time allotted or the rounds that there are. No round begins that would not
    /// end in time.
    pub fn left(&self, limit: Duration, (round, rounds): (u32, u32), to_come: &[usize]) -> Duration {
        let mut wanted: Vec<Vec<(Group, usize)>> = self.subjects.iter().map(|entry| self.entry_due(entry)).collect();
        if !self.judged {
            wanted.iter_mut().flatten().for_each(|(_, more)| *more = usize::MAX);
        }
        let mut left = Duration::ZERO;
        for next in round..=rounds {
            let mut whole = Duration::ZERO;
            for (index, groups) in wanted.iter_mut().enumerate() {
                let mut measured = Vec::new();
                for (group, more) in
                    groups.iter_mut().filter(|(group, more)| *more > 0 && self.is_measured_in(*group, next))
                {
                    measured.push(*group);
                    *more -= 1;
                }
                if next > round || to_come.contains(&index) {
                    whole += self.takes(index, &measured, next);
                }
            }
            if next > round && left + whole > limit {
                break;
            }
            left += whole;
        }
        left
    }

    /// How long a subject takes in a round in which these families are measured of it.
    fn takes(&self, index: usize, measured: &[Group], round: u32) -> Duration {
        if measured.is_empty() {
            return Duration::ZERO;
        }
        self.mean(&self.subjects[index], self.rotation(measured, round))
    }

    /// How long a subject takes in such a round; one that was not measured yet, as long as the others on average.
    fn mean(&self, entry: &Entry, rotation: Rotation) -> Duration {
        entry.mean(rotation).unwrap_or_else(|| {
            let known: Vec<Duration> = self.subjects.iter().filter_map(|other| other.mean(rotation)).collect();
            let count = u32::try_from(known.len()).unwrap_or(u32::MAX);
            known.iter().sum::<Duration>().checked_div(count).unwrap_or_default()
        })
    }
}

impl Entry {
    /// How long the subject takes in such a round: as in those before, or where there were none, as in all.
    fn mean(&self, rotation: Rotation) -> Option<Duration> {
        let same = self.took.get(&rotation).copied().unwrap_or_default();
        let all = self.took.values().fold((Duration::ZERO, 0), |sum, took| (sum.0 + took.0, sum.1 + took.1));
        same.0.checked_div(same.1).or_else(|| all.0.checked_div(all.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn reference() -> BTreeMap<String, Subject> {
        ["auth", "orders", "a"].map(|name| (name.to_owned(), Subject::new(name, "native", "process"))).into()
    }

    fn scheduler() -> Scheduler {
        let subjects = ["auth/native/process", "auth/docker/debian", "orders/native/process", "orders/docker/debian"];
        let groups = [Group::Size, Group::Startup, Group::Load];
        let subjects = subjects.map(|subject| (subject.parse().unwrap(), groups.to_vec()));
        let mut scheduler = Scheduler::new(subjects, &reference(), 3);
        (0..4).for_each(|index| scheduler.took(index, 1, SECOND));
        scheduler
    }

    #[test]
    fn what_is_precise_is_due_no_more_but_for_the_reference_of_others() {
        let mut scheduler = scheduler();
        assert_eq!(scheduler.due(1, 7), [Group::Startup, Group::Load]);
        assert_eq!(scheduler.judge(5, |_, _| Some(0)), [], "five rounds have no interval");
        let converged = scheduler.judge(6, |subject, group| {
            Some(usize::from(subject.to_string() == "auth/docker/debian" && group == Group::Load))
        });
        assert_eq!(converged.len(), 7);
        assert_eq!(converged[0].round, 6);
        assert_eq!((scheduler.due(0, 7), scheduler.due(1, 7)), (vec![Group::Load], vec![Group::Load]));
        assert_eq!((scheduler.due(2, 7), scheduler.due(3, 7)), (vec![], vec![]));
        assert!(!scheduler.is_done());
        assert_eq!(scheduler.judge(7, |_, _| Some(0)).len(), 1);
        assert!(scheduler.is_done() && scheduler.due(0, 7).is_empty());
    }

    #[test]
    fn the_time_left_is_what_is_wanted_and_no_more_than_what_is_allotted() {
        let mut scheduler = scheduler();
        assert_eq!(scheduler.round(1), 4 * SECOND);
        let all = [0, 1, 2, 3];
        assert_eq!(scheduler.left(100 * SECOND, (1, 10), &all), 40 * SECOND, "before anything is judged, the rounds");
        assert_eq!(scheduler.left(18 * SECOND, (1, 10), &all), 16 * SECOND, "or those that end in time");
        assert_eq!(
            scheduler.left(100 * SECOND, (9, 10), &all[2..]),
            6 * SECOND,
            "within a round, what is to come of it"
        );
        scheduler.judge(6, |subject, _| Some(if subject.service == "auth" { 3 } else { 0 }));
        assert_eq!(scheduler.round(7), 2 * SECOND);
        assert_eq!(scheduler.left(100 * SECOND, (7, 10), &all), 6 * SECOND);
        assert_eq!(scheduler.left(5 * SECOND, (7, 10), &all), 4 * SECOND);
        assert_eq!(scheduler.left(100 * SECOND, (9, 10), &all), 4 * SECOND);
    }

    /// A subject whose sweep takes 4 s with the rest, whose instances beside each other 12 s, and the rest alone 2 s.
    fn in_depth() -> Scheduler {
        let subject = ("a/native/process".parse().unwrap(), vec![Group::Load, Group::Density]);
        let mut scheduler = Scheduler::new([subject], &reference(), 3);
        for (round, seconds) in [(1, 4), (2, 12), (3, 2)] {
            scheduler.took(0, round, seconds * SECOND);
        }
        scheduler
    }

    #[test]
    fn a_round_takes_as_long_as_those_in_which_the_same_was_measured() {
        let scheduler = in_depth();
        assert_eq!([4, 5, 6].map(|round| Rotation::of(round, 3)), [Rotation::Sweep, Rotation::Density, Rotation::None]);
        assert_eq!([4, 5, 6].map(|round| scheduler.round(round)), [4 * SECOND, 12 * SECOND, 2 * SECOND]);
        assert_eq!(scheduler.left(100 * SECOND, (4, 8), &[0]), 34 * SECOND);
    }

    #[test]
    fn several_instances_are_judged_by_their_own_rounds_and_cost_nothing_in_others() {
        let mut scheduler = in_depth();
        let mut asked = Vec::new();
        for round in 6..=17 {
            scheduler.judge(round, |_, group| {
                asked.push((round, group));
                Some(if group == Group::Load { 0 } else { 2 })
            });
        }
        assert_eq!(asked, [(6, Group::Load), (8, Group::Density), (14, Group::Density)]);
        assert_eq!([18, 19, 20].map(|round| scheduler.due(0, round)), [vec![], vec![], vec![Group::Density]]);
        assert_eq!([18, 19, 20].map(|round| scheduler.round(round)), [Duration::ZERO, Duration::ZERO, 12 * SECOND]);
        assert_eq!(scheduler.left(100 * SECOND, (18, 40), &[0]), 12 * SECOND, "it wants one more");
    }

    #[test]
    fn without_a_load_several_instances_are_measured_in_every_round() {
        let subject = ("a/native/process".parse().unwrap(), vec![Group::Density]);
        let scheduler = Scheduler::new([subject], &reference(), 3);
        assert!([1, 2, 3].iter().all(|round| scheduler.due(0, *round) == [Group::Density]));
    }

    #[test]
    fn within_the_first_round_the_others_are_taken_to_be_like_those_measured() {
        let subjects = ["a/native/process", "a/docker/debian"].map(|name| (name.parse().unwrap(), vec![Group::Load]));
        let mut scheduler = Scheduler::new(subjects, &reference(), 3);
        assert_eq!(scheduler.left(100 * SECOND, (1, 3), &[0, 1]), Duration::ZERO, "nothing is known");
        scheduler.took(0, 1, 2 * SECOND);
        assert_eq!(scheduler.left(100 * SECOND, (1, 3), &[1]), 10 * SECOND);
    }

    #[test]
    fn what_wants_more_rounds_is_not_judged_before_it_had_them() {
        let mut scheduler = scheduler();
        scheduler.judge(6, |_, _| Some(3));
        for round in [7, 8] {
            assert_eq!(scheduler.judge(round, |_, _| panic!("too early")), []);
        }
        assert_eq!(scheduler.judge(9, |_, _| Some(0)).len(), 8);
    }

    #[test]
    fn what_has_no_figure_is_due_no_more_and_not_called_precise() {
        let mut scheduler = scheduler();
        assert_eq!(scheduler.judge(6, |_, _| None), []);
        assert!(scheduler.is_done());
    }

    #[test]
    fn a_subject_that_was_given_up_is_due_no_more() {
        let mut scheduler = scheduler();
        scheduler.drop(3);
        assert_eq!(scheduler.due(3, 7), []);
        scheduler.drop(1);
        scheduler.drop(0);
        assert_eq!(scheduler.due(0, 7), []);
        assert_eq!(scheduler.due(2, 7), [Group::Startup, Group::Load]);
    }
}
