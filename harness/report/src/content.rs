//! What a report is made from.

use tare_model::{RunRecord, Sample};
use tare_stats::{Judged, Summary};

/// What there is to show.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The record of the run.
    pub record: &'a RunRecord,
    /// Its cells.
    pub summary: &'a Summary,
    /// Its samples, for what is compared besides with the reference.
    pub samples: &'a [Sample],
    /// What became of the claims.
    pub judged: &'a [Judged],
    /// Another run, to read this one against.
    pub against: Option<Other<'a>>,
}

/// Another run, to be read against.
#[derive(Debug, Clone, Copy)]
pub struct Other<'a> {
    /// Its record.
    pub record: &'a RunRecord,
    /// Its cells.
    pub summary: &'a Summary,
}

/// How a text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour it, by ANSI escape codes. Colour is never the only sign of anything.
    pub colour: bool,
    /// Columns of the terminal. Tables are broken into blocks to fit, notes are wrapped; under about 60 a column may
    /// stick out.
    pub width: usize,
}
