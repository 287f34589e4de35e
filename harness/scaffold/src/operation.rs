//! An operation of a description, made into a request.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use oas3::spec::{Parameter, RequestBody, Response, Server};
use serde_json::Value;
use url::Url;

use crate::document::{Document, levels, read};
use crate::example::{self, essence, is_json};
use crate::parameter::{self, Filled};
use crate::schema::Composer;
use crate::security;
use crate::step::{Body, Expected, Step};
use crate::value::{json, line};

/// The methods of `OpenAPI`, and their order among operations of one path. `trace` is none of a service's.
const METHODS: [&str; 7] = ["POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];

/// The most bytes of an example.
const MOST_BYTES: usize = 16 << 10;

/// The most levels of an example, which the reader of TOML bounds too.
const MOST_LEVELS: usize = 32;

/// The most characters of a name.
const LONGEST_NAME: usize = 80;

/// The most characters of a summary or a path in a comment.
const LONGEST_SHOWN: usize = 160;

/// An operation as it is described.
#[derive(Debug)]
pub struct Operation<'a> {
    /// The path with its parameters in braces.
    pub template: &'a str,
    /// The method.
    pub method: &'static str,
    described: &'a Value,
    item: &'a Value,
}

/// A request whose path is not yet filled in: earlier steps may know better values than the examples.
#[derive(Debug)]
pub struct Draft<'a> {
    /// The path with its parameters in braces, without the base.
    pub template: &'a str,
    /// The base of the path.
    pub base: String,
    /// What fills the path, and its query.
    pub filled: Filled,
    /// The names of what the answer's object may hold.
    pub answers: Vec<String>,
    /// Whether it asks for credentials.
    pub is_secured: bool,
    /// The rest of the step.
    pub step: Step,
}

impl<'a> Operation<'a> {
    /// All operations of a description, in the order of their paths.
    pub fn all(document: &'a Document) -> Vec<Self> {
        let paths = document.at("/paths").and_then(Value::as_object);
        let mut operations = Vec::new();
        for (template, item) in paths.into_iter().flatten() {
            let item = document.follow(item).unwrap_or(item);
            for method in METHODS {
                let described = item.get(method.to_ascii_lowercase());
                operations.extend(described.map(|described| Self { template, method, described, item }));
            }
            // A reference that leads nowhere: what it stands for is not known, so that it is told of as a whole.
            if item.get("$ref").is_some() {
                operations.push(Self { template, method: "any method of", described: item, item });
            }
        }
        operations
    }

    /// It for a person, as `GET /things`.
    pub fn title(&self) -> String {
        format!("{} {}", self.method, line(self.template, LONGEST_SHOWN))
    }

    /// It as a request.
    ///
    /// # Errors
    /// Why it cannot be one.
    pub fn draft(&self, document: &Document) -> Result<Draft<'a>, String> {
        if !self.template.starts_with('/') {
            return Err("its path does not begin with `/`".into());
        }
        document.follow(self.item)?;
        let text = |name: &str| self.described.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut filled = parameter::fill(document, &self.parameters(document)?)?;
        let mut headers = std::mem::take(&mut filled.headers);
        let mut notes = vec![line(text("summary"), LONGEST_SHOWN)];
        notes.retain(|note| !note.is_empty());
        if self.described.get("deprecated") == Some(&Value::Bool(true)) {
            notes.push("Deprecated.".into());
        }
        let body = match self.described.get("requestBody") {
            Some(body) if self.sends(document, body) => Some(write_body(document, body, &mut headers, &mut notes)?),
            _ => None,
        };
        check_headers(&headers)?;
        let demand = security::demand(document, self.described);
        notes.extend(demand.clone());
        let answer = Answer::of(document, self.described.get("responses"))?;
        if answer.is_guess {
            notes.push("Any status of 2xx is described: 200 is a guess.".into());
        }
        let name = Some(line(text("operationId"), LONGEST_NAME)).filter(|id| !id.is_empty());
        let step = Step {
            name: name.unwrap_or_else(|| line(&format!("{} {}", self.method, self.template), LONGEST_NAME)),
            method: self.method.into(),
            headers,
            body,
            expect: answer.expected,
            answer: answer.example,
            notes,
            ..Step::default()
        };
        let (template, base) = (self.template, self.base(document));
        Ok(Draft { template, base, filled, answers: answer.names, is_secured: demand.is_some(), step })
    }

    /// Whether a body is sent: where the method gives it a meaning, or it is required all the same.
    fn sends(&self, document: &Document, body: &Value) -> bool {
        let is_required = || document.follow(body).is_ok_and(|body| body.get("required") == Some(&Value::Bool(true)));
        matches!(self.method, "POST" | "PUT" | "PATCH") || is_required()
    }

    /// The parameters of the path's item, those of the operation in place of them where both have the same.
    fn parameters(&self, document: &Document) -> Result<Vec<Parameter>, String> {
        let mut all: Vec<Parameter> = Vec::new();
        for parameters in [self.item, self.described].into_iter().filter_map(|part| part.get("parameters")) {
            let parameters = parameters.as_array().ok_or("its `parameters` are no list")?;
            for parameter in parameters {
                let read = document.read(parameter);
                let parameter: Parameter = read.map_err(|why| format!("one of its `parameters` {why}"))?;
                all.retain(|other| (&other.name, other.location) != (&parameter.name, parameter.location));
                all.push(parameter);
            }
        }
        Ok(all)
    }

    /// The path of the first server, without a `/` at its end. Only the path: what is measured runs on this machine.
    fn base(&self, document: &Document) -> String {
        let all = [self.described.get("servers"), self.item.get("servers"), document.at("/servers")];
        let first = all.into_iter().flatten().find_map(|servers| servers.get(0));
        let Some(Ok(server)) = first.map(read::<Server>) else { return String::new() };
        let mut url = server.url.clone();
        for (name, variable) in &server.variables {
            url = url.replace(&format!("{{{name}}}"), &variable.default);
        }
        let joined = Url::parse("http://127.0.0.1/").and_then(|here| here.join(&url));
        // Some URLs have a path that is none of HTTP.
        let path = joined.ok().map(|url| url.path().to_owned()).filter(|path| path.starts_with('/'));
        path.unwrap_or_default().trim_end_matches('/').to_owned()
    }
}

/// What is known of the answer.
struct Answer {
    expected: Expected,
    example: Option<Value>,
    names: Vec<String>,
    /// Whether the description allows any successful status.
    is_guess: bool,
}

impl Answer {
    /// The first successful answer that is described.
    fn of(document: &Document, responses: Option<&Value>) -> Result<Self, String> {
        let all = responses.and_then(Value::as_object).into_iter().flatten();
        let successes = all.filter_map(|(key, response)| Some((success(key)?, key, response)));
        let (status, key, response) =
            successes.min_by_key(|(status, ..)| *status).ok_or("it describes no answer of 2xx")?;
        let response: Response = document.read(response).map_err(|why| format!("its answer {status} {why}"))?;
        let is_guess = key.parse::<u16>().is_err();
        let mut kinds = response.content.iter();
        let mut answer =
            Self { expected: Expected { status, content_type: None }, example: None, names: Vec::new(), is_guess };
        // Of several media types the service chooses: none can be expected.
        let (Some((kind, media)), None) = (kinds.next(), kinds.next()) else { return Ok(answer) };
        let kind = essence(kind);
        if !kind.contains('*') && !kind.contains("${") && !kind.is_empty() && HeaderValue::from_str(kind).is_ok() {
            answer.expected.content_type = Some(kind.to_owned());
        }
        if is_json(kind) {
            answer.example = example::written(document, media).ok().flatten();
            let shown = answer.example.iter().filter_map(Value::as_object);
            answer.names = shown.flat_map(|object| object.keys().cloned()).collect();
            answer.names.extend(media.schema.iter().flat_map(|schema| Composer::new(document).properties(schema)));
        }
        answer.example = answer.example.filter(|example| levels(example, MOST_LEVELS).is_some());
        Ok(answer)
    }
}

/// The status of a successful answer; 200 for all of them.
fn success(key: &str) -> Option<u16> {
    if key.eq_ignore_ascii_case("2xx") {
        return Some(200);
    }
    key.parse().ok().filter(|status| (200..300).contains(status))
}

/// Writes the body, the header that says what it is, and what is to be known of it.
fn write_body(
    document: &Document,
    body: &Value,
    headers: &mut BTreeMap<String, String>,
    notes: &mut Vec<String>,
) -> Result<Body, String> {
    let body: RequestBody = document.read(body).map_err(|why| format!("its `requestBody` {why}"))?;
    let (kind, media) = example::sendable(&body.content)?;
    let value = example::of(document, media).map_err(|why| format!("its request body has no example: {why}"))?;
    let text = value.to_string();
    if text.len() > MOST_BYTES || levels(&value, MOST_LEVELS).is_none() {
        return Err(format!(
            "the example of its request body is larger than {MOST_BYTES} bytes or {MOST_LEVELS} levels"
        ));
    }
    if text.contains("${") {
        return Err("the example of its request body has a `${`, which is a placeholder's beginning here".into());
    }
    let mut typed = |kind: &str| headers.insert("content-type".into(), kind.into());
    if is_json(kind) {
        let written = json(&value);
        if written.is_none() || !kind.eq_ignore_ascii_case("application/json") {
            typed(kind);
        }
        if written.is_none() {
            notes.push("TOML has no null and no integer beyond 64 bits with sign: this JSON stands in `body`.".into());
        }
        return Ok(written.map_or(Body::Text(text), Body::Json));
    }
    typed(kind);
    match value {
        value if kind == example::FORM => parameter::form(&value).map(Body::Text),
        Value::String(text) => Ok(Body::Text(text)),
        _ => Err(format!("the example of its `{}` is no text", line(kind, LONGEST_SHOWN))),
    }
}

fn check_headers(headers: &BTreeMap<String, String>) -> Result<(), String> {
    let is_fit = |name: &str, value: &str| {
        name.parse::<HeaderName>().is_ok() && HeaderValue::from_str(value).is_ok() && !value.contains("${")
    };
    match headers.iter().find(|(name, value)| !is_fit(name, value)) {
        Some((name, _)) => {
            Err(format!("its header `{}` is no header of HTTP, or has a `${{`", line(name, LONGEST_NAME)))
        }
        None => Ok(()),
    }
}
