//! What all platforms and sessions of a run share.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use tare_model::Subject;

use crate::artifacts::Products;
use crate::engine::Engine;
use crate::sys::affinity::Cpus;
use crate::sys::cancel::Cancel;
use crate::sys::others::{OTHERS_LIMIT, Others};
use crate::sys::pulse::Pulse;
use crate::workload::Layout;

/// What all platforms and sessions of a run share.
pub struct RunContext {
    /// The run's name.
    pub run: String,
    /// Where things are.
    pub layout: Layout,
    /// Which CPUs are whose.
    pub cpus: Cpus,
    /// What was built and brought.
    pub products: Products,
    /// The container engine, or why there is none.
    pub engine: Result<Engine, String>,
    /// Turns true when the user ends the run.
    pub cancel: Cancel,
    /// Whether this process went on without a break.
    pub pulse: Pulse,
    /// What a reader of the run must know.
    pub notes: Notes,
}

impl RunContext {
    /// The container engine.
    ///
    /// # Errors
    /// Why there is none, with the remedy.
    pub fn engine(&self) -> Result<&Engine> {
        match &self.engine {
            Ok(engine) => Ok(engine),
            Err(reason) => bail!("no container engine can be used: {reason}"),
        }
    }

    /// The CPUs that the load generator may keep to itself; none where it must share.
    pub fn generator_cpus(&self) -> Vec<usize> {
        if self.cpus.are_separate() { self.cpus.generator.clone() } else { Vec::new() }
    }
}

/// What a reader of the run must know, noted while it goes on.
#[derive(Debug, Default)]
pub struct Notes {
    /// Conditions of the whole run.
    warnings: RefCell<Vec<String>>,
    /// The generator's own lateness, the worst of each subject with which it was late.
    lateness: RefCell<BTreeMap<Subject, Duration>>,
    /// The loops before which the load did not become steady, by subject.
    unsteady: RefCell<BTreeMap<Subject, usize>>,
    /// How often something was measured again since this process had stood still, by subject.
    broken: RefCell<BTreeMap<Subject, usize>>,
    /// How many loads were put on again since others had used the CPUs.
    again: Cell<usize>,
    /// What others took of the CPUs in the loads whose figures were kept, by subject.
    others: RefCell<BTreeMap<Subject, Others>>,
}

impl Notes {
    /// Notes a condition of the whole run; the same one is noted once.
    pub fn warn(&self, warning: impl Into<String>) {
        let warning = warning.into();
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// Notes that the load generator was late by itself with a subject.
    pub fn lateness(&self, subject: &Subject, late: Duration) {
        let mut lateness = self.lateness.borrow_mut();
        let worst = lateness.entry(subject.clone()).or_default();
        *worst = late.max(*worst);
    }

    /// Notes that the load before a loop of a subject did not become steady.
    pub fn unsteady(&self, subject: &Subject) {
        *self.unsteady.borrow_mut().entry(subject.clone()).or_default() += 1;
    }

    /// Notes that something of a subject is measured again, since this process had stood still.
    pub fn broken(&self, subject: &Subject) {
        *self.broken.borrow_mut().entry(subject.clone()).or_default() += 1;
    }

    /// Notes that a load is put on again, since others had used the CPUs.
    pub fn again(&self) {
        self.again.update(|loads| loads + 1);
    }

    /// Notes what others took of the CPUs in a load of a subject whose figures are kept.
    pub fn others(&self, subject: &Subject, others: Others) {
        *self.others.borrow_mut().entry(subject.clone()).or_default() += others;
    }

    /// All of it in words, a text for each kind.
    pub fn all(&self) -> Vec<String> {
        let mut warnings = self.warnings.borrow().clone();
        let broken: Vec<String> =
            self.broken.borrow().iter().map(|(subject, times)| format!("{subject} ({times})")).collect();
        if !broken.is_empty() {
            warnings.push(format!(
                "this program was stopped, or the machine or the container engine was, while these were measured; what was \
                 measured then was thrown away and measured again, so many times: {}",
                broken.join(", ")
            ));
        }
        if self.again.get() > 0 {
            warnings.push(format!(
                "other work took more than {:.0} % of the CPUs in {} loads, which were put on again",
                OTHERS_LIMIT * 100.0,
                self.again.get()
            ));
        }
        let others = self.others.borrow();
        let disturbed = others.iter().filter(|(_, others)| others.are_too_many());
        let disturbed: Vec<String> =
            disturbed.map(|(subject, others)| format!("{subject} ({:.0} %)", others.share() * 100.0)).collect();
        if !disturbed.is_empty() {
            warnings.push(format!(
                "other work took CPU time while these were loaded, so much of it; their rates may be too low and their latencies \
                 too high: {}",
                disturbed.join(", ")
            ));
        }
        let unsteady: Vec<String> =
            self.unsteady.borrow().iter().map(|(subject, loops)| format!("{subject} ({loops})")).collect();
        if !unsteady.is_empty() {
            warnings.push(format!(
                "before some loops the load was not steady even after the longest warm-up; these subjects, with the number of \
                 such loops, may have been measured before they were at their best: {}",
                unsteady.join(", ")
            ));
        }
        let lateness = self.lateness.borrow();
        let late = lateness.iter().map(|(subject, late)| format!("{subject} ({:.1} ms)", late.as_secs_f64() * 1e3));
        let late: Vec<String> = late.collect();
        if !late.is_empty() {
            warnings.push(format!(
                "something kept the load generator from sending in time in some loops; how late it was in the worst loop, at its \
                 99th percentile, follows each subject: that loop's latencies may be too high by as much, medians over rounds \
                 hardly: {}",
                late.join(", ")
            ));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_noted_once_and_the_worst_lateness_counts() {
        let notes = Notes::default();
        let subject: Subject = "auth/native/process".parse().unwrap();
        notes.warn("so");
        notes.warn("so");
        for ms in [2, 7, 3] {
            notes.lateness(&subject, Duration::from_millis(ms));
            notes.unsteady(&subject);
            notes.others(&subject, Others { taken_ns: 500_000_000, all_ns: 1_000_000_000 });
            notes.again();
            notes.broken(&subject);
        }
        let all = notes.all();
        assert_eq!((all.len(), all[0].as_str()), (6, "so"));
        let ends =
            ["process (3)", "in 3 loads, which were put on again", "process (50 %)", "process (3)", "process (7.0 ms)"];
        for (text, end) in all[1..].iter().zip(ends) {
            assert!(text.ends_with(end), "{text}");
        }
    }
}
