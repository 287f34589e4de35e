//! Records in, text out. This crate starts nothing and touches no disk: every report can be made again from the files
//! of a run alone.
//!
//! [`terminal`] is the table that a comparison ends with.

mod against;
mod answer;
mod cells;
pub mod charts;
mod claims;
mod columns;
mod conditions;
mod format;
mod glance;
mod isolation;
mod ladder;
mod layout;
mod markdown;
mod marks;
mod noise;
mod page;
mod paint;
mod phases;
mod portability;
mod settings;
mod subjects;
mod terminal;

pub use against::Other;
pub use answer::Sides;
pub use markdown::markdown;
pub use page::{ChartFile, Page, page};
pub use settings::Pair;
pub use terminal::{Content, Style, terminal};
