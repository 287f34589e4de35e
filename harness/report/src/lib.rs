//! Records in, text out. This crate starts nothing and touches no disk: every report can be made again from the files
//! of a run alone.
//!
//! [`terminal`] is the table that a comparison ends with.

mod cells;
mod claims;
mod columns;
mod conditions;
mod format;
mod layout;
mod marks;
mod noise;
mod paint;
mod phases;
mod settings;
mod terminal;

pub use settings::Pair;
pub use terminal::{Content, Style, terminal};
