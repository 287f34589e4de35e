//! A step, and how it is written.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::value::{comment, json, key, string, table};

/// The longest value that a comment shows, in bytes.
const LONGEST_SHOWN: usize = 2000;

/// What is sent as the body.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A JSON value, written as TOML.
    Json(String),
    /// A text as it is.
    Text(String),
}

/// What is checked of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expected {
    /// The status.
    pub status: u16,
    /// What the content type begins with.
    pub content_type: Option<String>,
}

/// One request.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// What it is for.
    pub name: String,
    /// The HTTP method.
    pub method: String,
    /// The path with its query, and placeholders.
    pub path: String,
    /// Headers, by their name.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Option<Body>,
    /// What is checked of the answer.
    pub expect: Expected,
    /// The description's example of the answer.
    pub answer: Option<Value>,
    /// Names for parts of the answer, with their JSON pointers.
    pub capture: BTreeMap<String, String>,
    /// The share of the load.
    pub weight: Option<u32>,
    /// Whether it is the probe.
    pub probe: bool,
    /// Whether it is commented out.
    pub is_off: bool,
    /// Comments above it.
    pub notes: Vec<String>,
}

impl Step {
    /// The path without its query.
    pub fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// It as a table of the file, with its comments.
    pub fn write(&self) -> String {
        let mut lines = vec!["[[step]]".to_owned()];
        let mut line = |name: &str, value: String| lines.push(format!("{} = {value}", key(name)));
        line("name", string(&self.name));
        line("method", string(&self.method));
        line("path", string(&self.path));
        if !self.headers.is_empty() {
            line("headers", strings(&self.headers));
        }
        match &self.body {
            None => {}
            Some(Body::Text(text)) => line("body", string(text)),
            Some(Body::Json(value)) => line("json", value.clone()),
        }
        line("expect", self.expect.write(None));
        if !self.capture.is_empty() {
            line("capture", strings(&self.capture));
        }
        if let Some(weight) = self.weight {
            line("weight", weight.to_string());
        }
        if self.probe {
            line("probe", "true".into());
        }
        let mark = if self.is_off { "# " } else { "" };
        let mut text: String = self.notes.iter().map(|note| comment(note)).collect();
        text.extend(self.shown_answer());
        text.extend(lines.iter().map(|line| format!("{mark}{line}\n")));
        text
    }

    /// The line that would check the answer against the description's example, as a comment.
    fn shown_answer(&self) -> Option<String> {
        let answer = json(self.answer.as_ref()?).filter(|answer| !answer.contains("${"))?;
        if answer.len() > LONGEST_SHOWN {
            return None;
        }
        Some(format!("# expect = {}\n", self.expect.write(Some(answer))))
    }
}

impl Expected {
    fn write(&self, json: Option<String>) -> String {
        let mut pairs = vec![("status", self.status.to_string())];
        pairs.extend(self.content_type.as_ref().map(|kind| ("headers", table([("content-type", string(kind))]))));
        pairs.extend(json.map(|json| ("json", json)));
        table(pairs)
    }
}

fn strings(map: &BTreeMap<String, String>) -> String {
    table(map.iter().map(|(name, value)| (name.as_str(), string(value))))
}
