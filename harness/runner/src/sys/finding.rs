//! What was found of the machine, and what to do about it.

use serde::Serialize;

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// How it stands.
    pub level: Level,
    /// What was found.
    pub detail: String,
    /// What to do about it; `None` where all is well.
    pub remedy: Option<String>,
}

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It is there.
    Good,
    /// A comparison runs, with less to say or less to be believed.
    Warning,
    /// A comparison cannot run.
    Missing,
}

impl Finding {
    /// All is well.
    pub fn good(what: &str, detail: impl Into<String>) -> Self {
        Self { what: what.into(), level: Level::Good, detail: detail.into(), remedy: None }
    }

    /// A comparison runs, with less to say.
    pub fn warning(what: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), level: Level::Warning, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    /// A comparison cannot run.
    pub fn missing(what: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), level: Level::Missing, detail: detail.into(), remedy: Some(remedy.into()) }
    }
}
