//! Every side effect of measuring: what the machine has, building, starting, probing, sampling, stopping.
//!
//! Never in here: a statistic (raw samples leave this crate untouched), a line on the terminal, a file under results/.
//!
//! The layers, each of which knows only those before it: [`sys`] (the machine), [`engine`] (the container engine),
//! [`workload`] (what is measured), [`artifacts`] (getting it), [`platforms`] (launching it), `session` (measuring one
//! subject), `run` (measuring all of them).

pub mod artifacts;
pub mod engine;
pub mod platforms;
mod run;
mod session;
pub mod sys;
pub mod workload;

pub use run::checks::check_files;
pub use run::examine::examine;
pub use run::observer::{EveryRound, LoadName, Measured, Observer, Progress, StoppingRule};
pub use run::plan::{Choice, Chosen, SUITES, Scope, Suite, builds, choose};
pub use run::preflight::preflight;
pub use run::prepare::{Prepared, Ready, build_all, clear, prepare, sweep};
pub use run::{Options, run};
pub use sys::cancel::Cancel;
pub use sys::finding::{Finding, Level};
pub use workload::{Broken, Layout, Quick, Scenario, Service};
