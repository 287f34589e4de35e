//! Every side effect of measuring: what the machine has, building, starting, probing, sampling, stopping.
//!
//! Never in here: a statistic (raw samples leave this crate untouched), a line on the terminal, a file under results/.

pub mod affinity;
mod agenda;
pub mod build;
mod cancel;
mod clock;
mod conditions;
mod density;
mod drive;
pub mod engine;
mod facts;
mod gzip;
mod isolation;
mod ladder;
mod layout;
mod measure;
mod mix;
mod observer;
mod owner;
mod plan;
pub mod platforms;
mod preflight;
mod prepare;
mod probe;
mod process;
mod run;
mod sampling;
mod scenario;
mod verify;

pub use cancel::Cancel;
pub use layout::{Layout, Service};
pub use observer::{Measured, Observer, Progress};
pub use plan::{Choice, Chosen, SUITES, Scope, Suite, choose};
pub use preflight::{Finding, Level, preflight};
pub use prepare::{Prepared, Ready, clear, prepare, sweep};
pub use run::{Options, run};
pub use scenario::Scenario;
