//! The vocabulary that the whole harness shares: what is measured (subjects and metrics), what comes out of it
//! (samples, summaries, the run record), and their csv and json forms.
//!
//! This crate touches no clock, no process and no disk: readers and writers are handed in.

mod claims;
mod isolation;
pub mod metrics;
mod record;
mod sample;
mod subject;
mod summary;

pub use claims::{Bound, Case, Claim, ClaimRow, Claims, Verdict, write_claims};
pub use isolation::{Deed, IsolationCheck, Outcome};
pub use metrics::{Better, Group, METRICS, Metric, Unit};
pub use record::*;
pub use sample::{Row, RowError, Sample, SampleReader, SampleWriter};
pub use subject::{Subject, SubjectError};
pub use summary::{Interval, SummaryRow, read_summary, write_summary};
