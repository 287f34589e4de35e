//! The vocabulary that the whole harness shares: what is measured (subjects and metrics), what comes out of it
//! (samples, summaries, the run record), their csv and json forms, and the line protocol of the measured processes.
//!
//! This crate touches no clock, no process and no disk: readers and writers are handed in.

mod claims;
pub mod metrics;
pub mod protocol;
mod record;
mod sample;
mod subject;
mod summary;

pub use claims::{Bound, Case, Claim, ClaimRow, Claims, Verdict, write_claims};
pub use metrics::{Better, Group, METRICS, Metric, Unit};
pub use record::*;
pub use sample::{Row, RowError, Sample, SampleReader, SampleWriter};
pub use subject::{Subject, SubjectError};
pub use summary::{Interval, SummaryRow, read_summary, write_summary};
