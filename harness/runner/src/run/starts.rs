//! Further starts in a round: where a start takes milliseconds, one of them says little, and a dozen cost nothing.

use std::time::{Duration, Instant};

use anyhow::Result;
use tare_model::Group;

use super::Run;
use super::scheduler::Scheduler;

/// The most starts of a subject in a round, beside the one of the instance that is measured: more of them make the median of
/// the round little more precise, while rounds differ by more than that.
const MOST: u32 = 11;

/// How many further starts each subject has in a round.
pub struct Starts {
    /// What those of a subject may take in a round.
    budget: Duration,
    /// What a start of each subject took with its end, all together, and how many there were.
    took: Vec<(Duration, u32)>,
}

impl Starts {
    /// Of so many subjects, each of which may spend so much on them in a round.
    pub fn new(subjects: usize, budget: Duration) -> Self {
        Self { budget, took: vec![(Duration::ZERO, 0); subjects] }
    }

    /// A start of a subject took so long, with its end.
    pub fn took(&mut self, index: usize, time: Duration) {
        let (total, starts) = &mut self.took[index];
        (*total, *starts) = (*total + time, *starts + 1);
    }

    /// The start of the instance that is measured took so long, without its end: what is known before there was a further one.
    pub fn guess(&mut self, index: usize, time: Duration) {
        if self.took[index].1 == 0 {
            self.took(index, time);
        }
    }

    /// How many a subject has in a round; none where it is not known yet what one takes.
    pub fn of(&self, index: usize) -> u32 {
        let (total, starts) = self.took[index];
        let fitting = total.checked_div(starts).map(|mean| self.budget.as_nanos() / mean.as_nanos().max(1));
        u32::try_from(fitting.unwrap_or(0)).unwrap_or(MOST).min(MOST)
    }

    /// Which of these subjects start before each place of a round, in an order drawn from the seed and the round: all over the
    /// round, so that what disturbs the machine for a while meets some starts of many subjects, and not all starts of one.
    pub fn spread(&self, subjects: &[usize], places: usize, seed: u64, round: u32) -> Vec<Vec<usize>> {
        let mut all: Vec<usize> =
            subjects.iter().flat_map(|&index| std::iter::repeat_n(index, self.of(index) as usize)).collect();
        // Another stream than that of the order of the round.
        fastrand::Rng::with_seed(!seed ^ (u64::from(round) << 32)).shuffle(&mut all);
        let mut spread = vec![Vec::new(); places];
        for (number, index) in all.iter().enumerate() {
            spread[number * places / all.len()].push(*index);
        }
        spread
    }
}

impl Run<'_> {
    /// Starts these subjects once more each, for the times of their starts.
    pub(super) async fn start_again(
        &mut self,
        subjects: &[usize],
        (round, place): (u32, usize),
        starts: &mut Starts,
        scheduler: &mut Scheduler,
    ) -> Result<()> {
        let prepared = self.prepared;
        let plan = self.record.plan.clone();
        for &index in subjects {
            let ready = &prepared.ready[index];
            if self.strikes.contains_key(&ready.subject) {
                continue;
            }
            let began = Instant::now();
            let started = self.job(&plan, ready, &[Group::Startup], None).start_again().await;
            let took = began.elapsed();
            starts.took(index, took);
            scheduler.took_more(index, round, took);
            if self.is_cancelled() {
                return Ok(());
            }
            self.file(ready, Some(Group::Startup), (round, u32::try_from(place)? + 1), started)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(budget_ms: u64, took_ms: &[u64]) -> Starts {
        let mut starts = Starts::new(took_ms.len(), Duration::from_millis(budget_ms));
        for (index, ms) in took_ms.iter().enumerate() {
            starts.took(index, Duration::from_millis(*ms));
        }
        starts
    }

    #[test]
    fn what_is_quick_starts_by_the_dozen_and_what_is_slow_not_again() {
        let starts = starts(250, &[3, 60, 125, 500, 0]);
        assert_eq!([0, 1, 2, 3, 4].map(|index| starts.of(index)), [MOST, 4, 2, 0, MOST]);
        assert_eq!(Starts::new(1, Duration::from_secs(1)).of(0), 0, "nothing is known");
    }

    #[test]
    fn what_was_dear_once_is_judged_by_its_mean() {
        let mut starts = starts(100, &[100]);
        assert_eq!(starts.of(0), 1);
        starts.guess(0, Duration::from_mins(1));
        (0..9).for_each(|_| starts.took(0, Duration::from_millis(1)));
        assert_eq!(starts.of(0), 9);
    }

    #[test]
    fn they_are_spread_evenly_over_the_round_and_drawn_anew_in_each() {
        let starts = starts(250, &[1, 1, 1]);
        let rounds = [1, 2].map(|round| starts.spread(&[0, 2], 4, 42, round));
        for spread in &rounds {
            let lengths: Vec<usize> = spread.iter().map(Vec::len).collect();
            assert_eq!(lengths, [6, 5, 6, 5]);
            let of = |wanted| spread.iter().flatten().filter(|index| **index == wanted).count();
            assert_eq!([0, 1, 2].map(of), [11, 0, 11]);
        }
        assert_ne!(rounds[0], rounds[1]);
        assert_eq!(rounds[0], starts.spread(&[0, 2], 4, 42, 1));
        assert!(starts.spread(&[], 2, 42, 1).iter().all(Vec::is_empty));
    }
}
