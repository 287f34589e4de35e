//! The times of a start.

use std::time::Duration;

/// The times of a start, in nanoseconds of the monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Startup {
    began_ns: u64,
    /// The end of each phase, in order of time; the last is the end of the first right answer.
    marks: Vec<(String, u64)>,
    /// How long the container engine was stopped meanwhile, where the start went through it and it was.
    engine_stopped: Option<Duration>,
}

impl Startup {
    /// From the time of the wish to launch, the ends of phases as they were heard, and the end of the first right answer.
    ///
    /// A phase that was heard to end after the answer (a container engine may return late) ends with the answer.
    pub fn new(began_ns: u64, mut marks: Vec<(String, u64)>, answered_ns: u64) -> Self {
        for mark in &mut marks {
            mark.1 = mark.1.clamp(began_ns, answered_ns);
        }
        marks.sort_by_key(|mark| mark.1);
        marks.push(("first_answer".into(), answered_ns));
        Self { began_ns, marks, engine_stopped: None }
    }

    /// Through an engine that was stopped for so long meanwhile, if it was.
    pub(super) fn through_engine(mut self, stopped: Option<Duration>) -> Self {
        self.engine_stopped = stopped;
        self
    }

    /// How long the engine that it went through was stopped meanwhile; `None` where it was not, or there was none.
    pub fn engine_stopped(&self) -> Option<Duration> {
        self.engine_stopped
    }

    /// From the wish to launch to the end of the first right answer, in nanoseconds.
    pub fn total_ns(&self) -> u64 {
        self.marks.last().map_or(0, |mark| mark.1 - self.began_ns)
    }

    /// Its beginning and end, on the monotonic clock in nanoseconds.
    pub fn span(&self) -> (u64, u64) {
        (self.began_ns, self.began_ns + self.total_ns())
    }

    /// The phases with their lengths in nanoseconds; they add up to the total.
    pub fn phases(&self) -> Vec<(String, u64)> {
        let begins = std::iter::once(self.began_ns).chain(self.marks.iter().map(|mark| mark.1));
        self.marks.iter().zip(begins).map(|((name, end), begin)| (name.clone(), end - begin)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phases_of_a_start_add_up() {
        let marks = vec![("main".to_owned(), 120), ("listen".to_owned(), 150)];
        let startup = Startup::new(100, marks, 175);
        assert_eq!(startup.total_ns(), 75);
        let phases = startup.phases();
        assert_eq!(phases, [("main".into(), 20), ("listen".into(), 30), ("first_answer".into(), 25)]);
    }

    #[test]
    fn a_phase_heard_late_ends_with_the_answer() {
        let marks = vec![("start".to_owned(), 190), ("create".to_owned(), 110)];
        let startup = Startup::new(100, marks, 150);
        assert_eq!(startup.phases(), [("create".into(), 10), ("start".into(), 40), ("first_answer".into(), 0)]);
        assert_eq!(startup.total_ns(), 50);
    }
}
