//! Records in, text out. This crate starts nothing and touches no disk: every report can be made again from the files
//! of a run alone.
//!
//! [`terminal`] is the table that a comparison ends with, [`markdown`] its short form, [`page`] the report. What they show
//! of each metric, and where, is one list: the catalogue. What variants and metrics are is read from the record.

mod against;
mod answer;
mod baselines;
mod catalogue;
mod cells;
pub mod charts;
mod claims;
mod conditions;
mod content;
mod escape;
mod failed;
mod format;
mod isolation;
mod layout;
mod markdown;
mod marks;
mod noise;
mod overview;
mod page;
mod paint;
mod phases;
mod portability;
mod sides;
mod subjects;
mod sweep;
mod terminal;

pub use against::comparison;
pub use content::{Content, Other, Style};
pub use escape::lines as printable;
pub use markdown::markdown;
pub use page::{ChartFile, Page, page};
pub use terminal::terminal;
