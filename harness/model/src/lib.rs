//! The vocabulary that the whole harness shares: what is measured (subjects and metrics), what comes out of it
//! (samples, summaries, the run record), and their csv and json forms.
//!
//! This crate touches no clock, no process and no disk: readers and writers are handed in.

mod cells;
mod claims;
mod compared;
mod definitions;
mod isolation;
mod later;
pub mod metrics;
mod phase;
mod record;
mod sample;
mod subject;
mod summary;

pub use claims::{Bound, Case, Claim, ClaimRow, Claims, Variants, Verdict, write_claims};
pub use compared::{Change, ComparedRow, ComparedValue, Comparison};
pub use definitions::{Baseline, MetricRecord, PlatformRecord, Role, Side, VariantRecord, metric_records};
pub use isolation::{IsolationCheck, Outcome, Violation};
pub use later::{Unknown, read_record};
pub use metrics::{Better, Group, METRICS, Metric, Unit};
pub use phase::Phase;
pub use record::*;
pub use sample::{Row, RowError, Sample, SampleReader, SampleWriter};
pub use subject::{
    DEFAULT_IMPLEMENTATION, Subject, SubjectError, VariantId, VariantIdError, check_name, check_run_name,
};
pub use summary::{Interval, SummaryRow, read_summary, write_summary};
