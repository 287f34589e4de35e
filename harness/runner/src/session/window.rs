//! Whether what was just measured can be believed: this process went on without a break, and others left the CPUs alone.

use std::time::Duration;

use anyhow::{Result, bail};
use tare_model::Subject;

use crate::platforms::{RunContext, Startup};
use crate::sys::clock::monotonic_ns;
use crate::sys::others::{Accounts, Others};

/// How often something is measured at most until nothing disturbs it.
const TRIES: u32 = 3;

/// A time in which something is measured.
pub struct Window {
    began_ns: u64,
    accounts: Option<Accounts>,
}

/// What happened beside a measurement.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside {
    /// How long this process stood still, if it did: what it measured of others is wrong.
    broken: Option<Duration>,
    /// How long the container engine stood still that a start waited for, if it did.
    engine_stopped: Option<Duration>,
    /// What others took of the CPUs, where it is known.
    others: Option<Others>,
}

impl Window {
    /// Begins to measure.
    pub fn begin(context: &RunContext) -> Self {
        Self { began_ns: monotonic_ns(), accounts: Accounts::now(&context.cpus) }
    }

    /// Ends it; `subject_ns` is the CPU time of the subject, in nanoseconds, where it is known.
    pub fn end(self, context: &RunContext, subject_ns: Option<u64>) -> Beside {
        let accounts = self.accounts.zip(Accounts::now(&context.cpus)).zip(subject_ns);
        Beside {
            broken: context.pulse.longest_break(self.began_ns, monotonic_ns()),
            engine_stopped: None,
            others: accounts.map(|((then, now), subject_ns)| now.others(then, subject_ns, &context.cpus)),
        }
    }
}

impl Beside {
    /// Of a start.
    pub fn start(context: &RunContext, startup: &Startup) -> Self {
        let (began_ns, answered_ns) = startup.span();
        let broken = context.pulse.longest_break(began_ns, answered_ns);
        Self { broken, engine_stopped: startup.engine_stopped(), others: None }
    }

    /// Whether to measure again after so many tries. Notes what a reader must know.
    ///
    /// # Errors
    /// This process, or the engine, stood still in the last try as well.
    pub fn wants_another(self, context: &RunContext, subject: &Subject, tries: u32) -> Result<bool> {
        let this = self.broken.map(|length| ("this program", length));
        if let Some((who, length)) = this.or(self.engine_stopped.map(|length| ("the container engine", length))) {
            if tries >= TRIES {
                bail!(
                    "{who} was stopped for {:.1} s while something was measured, {tries} times one after another: what was \
                     measured then says nothing",
                    length.as_secs_f64()
                );
            }
            context.notes.broken(subject);
            return Ok(true);
        }
        let Some(others) = self.others else { return Ok(false) };
        if tries < TRIES && others.are_too_many() {
            context.notes.again();
            return Ok(true);
        }
        context.notes.others(subject, others);
        Ok(false)
    }
}
