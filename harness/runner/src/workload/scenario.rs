//! `scenario.toml`: what a service is asked and what a right answer looks like.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use reqwest::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use tare_load::{Parts, Request, RequestError};

use super::placeholders::{fill, is_unclosed};

/// The placeholder that is replaced by 16 hex digits: one value for a pass through the steps, a new one for each
/// request of a load.
pub const UNIQUE: &str = "${unique}";

/// The requests of a service, their weights and right answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What the service does, in one sentence.
    #[serde(default)]
    pub summary: String,
    /// What the 99th percentile of its latency must not exceed for a load to count as sustained, in milliseconds.
    #[serde(default = "usual_objective_ms")]
    pub p99_objective_ms: f64,
    /// Whether it stands for the others where a suite measures something for one service only.
    #[serde(default)]
    pub typical: bool,
    /// The environment that the service gets on every platform.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The requests, in order; later ones may use what earlier ones captured.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// One request and its right answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it is for; errors name it.
    pub name: String,
    /// The HTTP method.
    pub method: String,
    /// The path, with placeholders.
    pub path: String,
    /// Further headers, with placeholders in the values.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A JSON body, with placeholders in its strings.
    pub json: Option<Value>,
    /// A body as it is, with placeholders; for what is not JSON.
    pub body: Option<String>,
    /// The right answer.
    pub expect: Expect,
    /// Names for parts of the answer, by JSON pointer; later steps use them as `${name}`.
    #[serde(default)]
    pub capture: BTreeMap<String, String>,
    /// The step's share of the load; no share without it.
    pub weight: Option<u32>,
    /// Whether this is the request whose right answer ends a start-up.
    #[serde(default)]
    pub probe: bool,
}

/// A right answer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The status.
    pub status: u16,
    /// Headers that must be there and begin like this.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What the JSON body must hold: every key named here with an equal value; arrays at equal length.
    pub json: Option<Value>,
    /// Texts that the body must hold. The only check of the body under load.
    #[serde(default)]
    pub contains: Vec<String>,
}

impl Default for Scenario {
    /// Without any request: to be filled.
    fn default() -> Self {
        Self {
            summary: String::new(),
            p99_objective_ms: usual_objective_ms(),
            typical: false,
            env: BTreeMap::new(),
            steps: Vec::new(),
        }
    }
}

/// The latency objective of a service whose file names none, in milliseconds: what an interactive request is often held to.
fn usual_objective_ms() -> f64 {
    100.0
}

/// The largest sum of weights: all of it fits a counter of 32 bits.
const MOST_WEIGHT: u64 = 1_000_000;

impl Scenario {
    /// Reads and checks a scenario file.
    ///
    /// # Errors
    /// The file cannot be read, is not a scenario, or cannot be used; all that is wrong with it, at once.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path)?;
        Self::parse(&text).with_context(|| format!("{} cannot be used", path.display()))
    }

    /// Reads and checks the text of a scenario file.
    ///
    /// # Errors
    /// It is not a scenario, or cannot be used; all that is wrong with it, at once.
    pub fn parse(text: &str) -> Result<Self> {
        let scenario: Self = toml::from_str(text).context("it is not a scenario")?;
        scenario.check()?;
        Ok(scenario)
    }

    /// The request whose right answer ends a start-up.
    ///
    /// # Panics
    /// On a scenario that was not checked and has no such step.
    pub fn probe(&self) -> &Step {
        self.steps.iter().find(|step| step.probe).expect("a checked scenario has a probe")
    }

    /// Checks what the form of the file does not.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn check(&self) -> Result<()> {
        let mut wrong = Vec::new();
        let probes = self.steps.iter().filter(|step| step.probe).count();
        if probes != 1 {
            wrong.push(format!("exactly one step must have `probe = true`, not {probes}"));
        }
        let weight: u64 = self.steps.iter().filter_map(|step| step.weight).map(u64::from).sum();
        if !self.steps.iter().any(|step| step.weight.is_some()) {
            wrong.push("no step has a `weight`: there would be no load".into());
        } else if weight > MOST_WEIGHT {
            wrong.push(format!("the weights add up to {weight}: use smaller ones, up to {MOST_WEIGHT} in all"));
        }
        let objective = self.p99_objective_ms;
        if !(0.001..=3_600_000.0).contains(&objective) {
            wrong.push(format!("`p99_objective_ms` must lie between 0.001 and 3600000, not {objective}"));
        }
        let mut known = vec!["unique"];
        for (place, step) in self.steps.iter().enumerate() {
            if self.steps[..place].iter().any(|other| other.name == step.name) {
                wrong.push(format!("two steps are called `{}`", step.name.escape_debug()));
            }
            wrong.extend(
                step.errors(&known).into_iter().map(|what| format!("step `{}`: {what}", step.name.escape_debug())),
            );
            known.extend(step.capture.keys().map(String::as_str));
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("; "));
        Ok(())
    }
}

impl Step {
    /// All that is wrong with it, where earlier steps have captured these names.
    fn errors(&self, known: &[&str]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                wrong.push(what);
            }
        };
        must(self.json.is_none() || self.body.is_none(), "has both `json` and `body`; one is enough".into());
        let is_path = self.path.starts_with('/') && !self.path.contains(|char: char| char.is_control() || char == ' ');
        must(is_path, format!("the path `{}` must begin with `/`, without spaces", self.path.escape_debug()));
        must(self.method.parse::<reqwest::Method>().is_ok(), format!("`{}` is no method", self.method.escape_debug()));
        must(self.weight != Some(0), "a weight of 0 is no weight; leave it out".into());
        must((200..=599).contains(&self.expect.status), format!("{} is no status of an answer", self.expect.status));
        // What the generator cannot send would be found when all is built and verified. What is captured is not known yet.
        let values = self.placeholders().into_iter().filter(|name| name != "unique").map(|name| (name, "0".to_owned()));
        if let Err(error) = self.request(&values.collect()) {
            must(false, format!("it cannot be sent: {error}"));
        }
        for (name, value) in self.headers.iter().chain(&self.expect.headers) {
            let is_header = name.parse::<HeaderName>().is_ok() && HeaderValue::from_str(value).is_ok();
            must(is_header, format!("`{}: {}` is no header", name.escape_debug(), value.escape_debug()));
        }
        for (name, pointer) in &self.capture {
            must(
                pointer.is_empty() || pointer.starts_with('/'),
                format!("`{name}` is captured by `{pointer}`, no JSON pointer"),
            );
        }
        if self.probe {
            let plain =
                self.json.is_none() && self.body.is_none() && !self.texts().iter().any(|text| text.contains("${"));
            must(plain && self.method == "GET", "the probe must be a GET without placeholders or body".into());
        }
        must(!self.texts().iter().any(|text| is_unclosed(text)), "has a `${` without its `}`".into());
        for name in self.placeholders() {
            let what =
                || format!("uses `${{{name}}}`, which no earlier step captures; known are: {}", known.join(", "));
            must(known.contains(&name.as_str()), what());
        }
        let unique = self.weight.is_some() && self.expect.contains.iter().any(|needle| needle.contains(UNIQUE));
        must(
            !unique,
            format!("a step of the load cannot expect `{UNIQUE}` in its answer: the load looks for fixed texts"),
        );
        wrong
    }

    /// The request that the load generator sends, with the values of placeholders put in.
    ///
    /// # Errors
    /// It makes no request that can be sent.
    pub fn request(&self, values: &BTreeMap<String, String>) -> Result<Request, RequestError> {
        let headers: Vec<(String, String)> =
            self.raw_headers().into_iter().map(|(name, value)| (name, fill(&value, values))).collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let contains = self.expect.contains.iter().map(|needle| fill(needle, values).into_bytes()).collect();
        let (path, body) = (fill(&self.path, values), fill(&self.raw_body().unwrap_or_default(), values));
        Request::new(&Parts {
            name: &self.name,
            method: &self.method,
            path: &path,
            headers: &headers,
            body: body.as_bytes(),
            expect: tare_load::Expect { status: self.expect.status, contains },
        })
    }

    /// All texts that may hold placeholders.
    fn texts(&self) -> Vec<String> {
        let mut texts = vec![self.path.clone()];
        texts.extend(self.headers.values().cloned());
        texts.extend(self.body.clone());
        texts.extend(self.json.iter().chain(&self.expect.json).map(Value::to_string));
        texts.extend(self.expect.contains.iter().cloned());
        texts
    }

    /// The names of all placeholders that the request and its expectations use.
    fn placeholders(&self) -> Vec<String> {
        let name = |text: &str| text.split_once('}').map(|(name, _)| name.to_owned());
        let names = |text: &String| text.split("${").skip(1).filter_map(name).collect::<Vec<_>>();
        self.texts().iter().flat_map(names).collect()
    }

    /// The body as it goes over the wire, placeholders untouched.
    pub fn raw_body(&self) -> Option<String> {
        self.json.as_ref().map(Value::to_string).or_else(|| self.body.clone())
    }

    /// The headers as they go over the wire, placeholders untouched: with a content type where the body is JSON.
    pub fn raw_headers(&self) -> Vec<(String, String)> {
        let mut headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let typed = self.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        if self.json.is_some() && !typed {
            headers.push(("content-type".into(), "application/json".into()));
        }
        headers
    }
}

/// The first difference between what the answer must hold and what it holds, with its JSON pointer.
pub fn difference(expected: &Value, found: &Value) -> Option<String> {
    fn walk(expected: &Value, found: &Value, at: &str) -> Option<String> {
        match (expected, found) {
            (Value::Object(expected), Value::Object(found)) => expected.iter().find_map(|(key, value)| {
                let at = format!("{at}/{key}");
                found.get(key).map_or_else(|| Some(format!("{at} is missing")), |found| walk(value, found, &at))
            }),
            (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
                let pairs = expected.iter().zip(found).enumerate();
                pairs.into_iter().find_map(|(index, (expected, found))| walk(expected, found, &format!("{at}/{index}")))
            }
            (Value::Array(expected), Value::Array(found)) => {
                Some(format!("{at} has {} elements instead of {}", found.len(), expected.len()))
            }
            _ => (expected != found).then(|| format!("{at} is {found} instead of {expected}")),
        }
    }
    walk(expected, found, "").map(|text| text.strip_prefix(' ').map_or(text.clone(), |text| format!("the body {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        summary = "says hello"
        p99_objective_ms = 10
        [[step]]
        name = "health"
        method = "GET"
        path = "/healthz"
        probe = true
        expect = { status = 200 }
        [[step]]
        name = "make"
        method = "POST"
        path = "/things"
        json = { name = "n-${unique}" }
        expect = { status = 201 }
        capture = { id = "/id" }
        [[step]]
        name = "read"
        method = "GET"
        path = "/things/${id}"
        expect = { status = 200, contains = ["n-"] }
        weight = 3
    "#;

    fn load(text: &str) -> Result<Scenario> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("scenario.toml");
        fs_err::write(&path, text)?;
        Scenario::load(&path)
    }

    #[test]
    fn a_good_scenario_loads() {
        let scenario = load(GOOD).unwrap();
        assert_eq!(scenario.probe().name, "health");
        assert_eq!(scenario.steps[1].raw_headers(), [("content-type".to_owned(), "application/json".to_owned())]);
    }

    #[test]
    fn what_is_wrong_with_a_scenario_is_named() {
        let cases = [
            (GOOD.replace("probe = true", ""), "exactly one step must have `probe = true`, not 0"),
            (GOOD.replace("objective_ms = 10", "objective_ms = 0"), "`p99_objective_ms` must lie between"),
            (GOOD.replace("objective_ms = 10", "objective_ms = 1e300"), "`p99_objective_ms` must lie between"),
            (GOOD.replace("weight = 3", "weight = 4294967295"), "the weights add up to 4294967295"),
            (GOOD.replace("${id}", "${id"), "has a `${` without its `}`"),
            (GOOD.replace("\"POST\"", "\"PO ST\""), "`PO ST` is no method"),
            (GOOD.replace("status = 201", "status = 0"), "0 is no status"),
            (GOOD.replace("\"/healthz\"", "\"/a\\r\\nb\""), "the path `/a\\r\\nb` must begin"),
            (GOOD.replace("json = {", "headers = { \"a b\" = \"c\" }\n        json = {"), "`a b: c` is no header"),
            (GOOD.replace("weight = 3", ""), "no step has a `weight`"),
            (GOOD.replace("name = \"make\"", "name = \"read\""), "two steps are called `read`"),
            (GOOD.replace("/things/${id}", "/th\u{ef}ngs/${id}"), "step `read`: it cannot be sent"),
            (GOOD.replace("status = 200, ", "status = 101, "), "101 is no status"),
            (
                GOOD.replace("json = {", "headers = { \"content-length\" = \"3\" }\n        json = {"),
                "step `make`: it cannot be sent",
            ),
            (GOOD.replace("/things/${id}", "/things/${key}"), "step `read`: uses `${key}`"),
            (GOOD.replace("\"n-\"", "\"n-${unique}\""), "cannot expect `${unique}`"),
            (GOOD.replace("weight", "wieght"), "unknown field `wieght`"),
        ];
        for (text, expected) in cases {
            let error = format!("{:#}", load(&text).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let text = GOOD.replace("probe = true", "").replace("weight = 3", "").replace("\"POST\"", "\"\"");
        let error = format!("{:#}", load(&text).unwrap_err());
        assert!(
            ["`probe = true`", "no step has a `weight`", "step `make`"].iter().all(|part| error.contains(part)),
            "{error}"
        );
    }

    #[test]
    fn the_first_difference_is_found_with_its_place() {
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let found = json(r#"{"a":{"b":[1,{"c":2}]},"more":true}"#);
        assert_eq!(difference(&json(r#"{"a":{"b":[1,{"c":2}]}}"#), &found), None);
        assert_eq!(difference(&json(r#"{"a":{"b":[1,{"c":3}]}}"#), &found).unwrap(), "/a/b/1/c is 2 instead of 3");
        assert_eq!(difference(&json(r#"{"a":{"b":[1]}}"#), &found).unwrap(), "/a/b has 2 elements instead of 1");
        assert_eq!(difference(&json(r#"{"d":1}"#), &found).unwrap(), "/d is missing");
        assert_eq!(difference(&json("1"), &json("2")).unwrap(), "the body is 2 instead of 1");
    }
}
