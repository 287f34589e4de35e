//! What all platforms and sessions of a run share.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use tare_model::Subject;

use crate::artifacts::Products;
use crate::engine::Engine;
use crate::sys::affinity::Cpus;
use crate::sys::cancel::Cancel;
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

    /// All of it in words, a text for each kind.
    pub fn all(&self) -> Vec<String> {
        let mut warnings = self.warnings.borrow().clone();
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
                "something kept the load generator from sending in time; at its 99th percentile it was late with these, \
                 whose open-loop latencies may be too high by as much: {}",
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
        }
        let all = notes.all();
        assert_eq!((all.len(), all[0].as_str()), (3, "so"));
        assert!(
            all[1].ends_with("auth/native/process (3)") && all[2].ends_with("auth/native/process (7.0 ms)"),
            "{all:?}"
        );
    }
}
