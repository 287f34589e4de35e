//! An `OpenAPI` description as a tree of JSON. Its parts are read into the types of 3.1 when they are asked for: a part that
//! cannot be read costs its operation, not all of them.

use std::cell::Cell;

use oas3::spec::ObjectOrReference;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ScaffoldError;
use crate::value::line;

/// The most bytes of a description.
const MOST_BYTES: usize = 8 << 20;

/// The most values of a description in YAML.
const MOST_NODES: usize = 1 << 20;

/// The most values that aliases of YAML repeat.
const MOST_REPEATED: usize = 100_000;

/// The most levels of a description.
const MOST_LEVELS: usize = 64;

/// The most references that are followed from one place.
const MOST_HOPS: usize = 16;

/// The most values that are read behind references, repetitions included. Bounds the time that a description can take.
const MOST_READ: usize = 3_000_000;

/// The most characters of somebody else's text in an error.
const SHOWN: usize = 200;

/// A description.
#[derive(Debug)]
pub struct Document {
    root: Value,
    /// The values that may still be read behind references.
    left: Cell<usize>,
}

impl Document {
    /// Reads a description, as JSON or YAML.
    ///
    /// # Errors
    /// It is too large or too deep, neither JSON nor YAML, or no `OpenAPI` 3.0 or 3.1.
    pub fn parse(text: &str) -> Result<Self, ScaffoldError> {
        if text.len() > MOST_BYTES {
            return Err(ScaffoldError::Size { found: text.len(), most: MOST_BYTES });
        }
        let text = text.trim_start_matches('\u{feff}');
        let mut root = if text.trim_start().starts_with('{') { from_json(text) } else { from_yaml(text) }?;
        if levels(&root, MOST_LEVELS).is_none() {
            return Err(ScaffoldError::Depth(MOST_LEVELS));
        }
        let version = match root.get("openapi") {
            Some(Value::String(version)) => version.clone(),
            Some(Value::Number(version)) => version.to_string(),
            _ => String::new(),
        };
        if !["3.0", "3.1"].iter().any(|known| version == *known || version.starts_with(&format!("{known}."))) {
            return Err(ScaffoldError::Version(line(&version, SHOWN)));
        }
        if version.starts_with("3.0") {
            lift(&mut root);
        }
        Ok(Self { root, left: Cell::new(MOST_READ) })
    }

    /// The part at a JSON pointer.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.root.pointer(pointer)
    }

    /// A part, behind any references.
    ///
    /// # Errors
    /// A reference leads outside, nowhere, or in a circle.
    pub fn follow<'a>(&'a self, part: &'a Value) -> Result<&'a Value, String> {
        let mut part = part;
        for _ in 0..MOST_HOPS {
            match part.get("$ref").and_then(Value::as_str) {
                None => return Ok(part),
                Some(reference) => part = self.referred(reference)?,
            }
        }
        Err(format!("more than {MOST_HOPS} references lead from one to the next"))
    }

    /// What a part of the types stands for.
    ///
    /// # Errors
    /// As of [`Self::follow`], or it is not of this type.
    pub fn resolve<T: DeserializeOwned + Clone>(&self, part: &ObjectOrReference<T>) -> Result<T, String> {
        match part {
            ObjectOrReference::Object(part) => Ok(part.clone()),
            ObjectOrReference::Ref { ref_path, .. } => self.read_referred(ref_path),
        }
    }

    /// A part as one of the types, behind any references.
    ///
    /// # Errors
    /// As of [`Self::follow`], or it is not of this type.
    pub fn read<T: DeserializeOwned>(&self, part: &Value) -> Result<T, String> {
        match part.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.read_referred(reference),
            None => read(part),
        }
    }

    fn read_referred<T: DeserializeOwned>(&self, reference: &str) -> Result<T, String> {
        let part = self.follow(self.referred(reference)?)?;
        // What is used up is not counted again: counting takes time too.
        let left = if self.left.get() == 0 { None } else { self.left.get().checked_sub(values(part)) };
        self.left.set(left.unwrap_or_default());
        left.ok_or("all that is referred to in the description is too much")?;
        read(part).map_err(|error| format!("`{}` {error}", line(reference, SHOWN)))
    }

    /// What a reference leads to.
    fn referred(&self, reference: &str) -> Result<&Value, String> {
        let shown = line(reference, SHOWN);
        let Some(pointer) = reference.strip_prefix('#') else {
            return Err(format!("`{shown}` is outside of the description: bring it in, since no other file is read"));
        };
        let pointer = percent_decode_str(pointer).decode_utf8_lossy();
        self.root.pointer(&pointer).ok_or_else(|| format!("`{shown}` leads nowhere"))
    }
}

/// A part as one of the types.
///
/// # Errors
/// It is not of this type.
pub fn read<T: DeserializeOwned>(part: &Value) -> Result<T, String> {
    T::deserialize(part).map_err(|error| format!("cannot be read: {}", line(&error.to_string(), SHOWN)))
}

fn from_json(text: &str) -> Result<Value, ScaffoldError> {
    serde_json::from_str(text).map_err(|error| ScaffoldError::Syntax(line(&error.to_string(), SHOWN)))
}

fn from_yaml(text: &str) -> Result<Value, ScaffoldError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MOST_LEVELS, max_documents: 1, max_events: MOST_NODES, max_nodes: MOST_NODES },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MOST_REPEATED },
        with_snippet: false,
    };
    let read = serde_saphyr::from_str_with_options(text, options);
    read.map_err(|error| ScaffoldError::Syntax(line(&error.to_string(), SHOWN)))
}

/// How many values a value holds, itself included.
fn values(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(values).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(values).sum::<usize>(),
        _ => 1,
    }
}

/// How many levels a value has, `None` if more than this many.
pub fn levels(value: &Value, most: usize) -> Option<usize> {
    let left = most.checked_sub(1)?;
    let deepest = |mut values: &mut dyn Iterator<Item = &Value>| {
        Iterator::try_fold(&mut values, 0, |deepest: usize, value| Some(deepest.max(levels(value, left)?)))
    };
    match value {
        Value::Array(items) => Some(1 + deepest(&mut items.iter())?),
        Value::Object(map) => Some(1 + deepest(&mut map.values())?),
        _ => Some(1),
    }
}

/// Takes out what 3.0 writes differently in a schema and no request is made of: `exclusiveMinimum` and
/// `exclusiveMaximum` as booleans.
fn lift(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(lift),
        Value::Object(map) => {
            map.retain(|key, value| !(key.starts_with("exclusiveM") && value.is_boolean()));
            for (key, value) in map.iter_mut() {
                match (key.as_str(), &mut *value) {
                    // Values of the API, not words of the description.
                    ("example" | "examples" | "default" | "enum" | "const", _) => {}
                    // Names of the API, each with a schema.
                    ("properties", Value::Object(named)) => named.values_mut().for_each(lift),
                    _ => lift(value),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::*;

    fn document(rest: &str) -> Document {
        Document::parse(&format!("openapi: 3.1.0\n{rest}")).unwrap()
    }

    #[test]
    fn json_and_yaml_are_the_same() {
        let yaml = document("paths:\n  /a:\n    get:\n      responses: { 200: { description: ok } }\n");
        let json = r#"{"openapi":"3.1.0","paths":{"/a":{"get":{"responses":{"200":{"description":"ok"}}}}}}"#;
        assert_eq!(yaml.root, Document::parse(json).unwrap().root);
    }

    #[test]
    fn what_is_no_description_is_told() {
        let error = |text: &str| Document::parse(text).unwrap_err().to_string();
        assert!(error("{").contains("neither JSON nor YAML"));
        assert!(error("a: [").contains("neither JSON nor YAML"));
        assert!(error("").contains("neither JSON nor YAML") || error("").contains("3.0 and 3.1"));
        assert!(error("swagger: '2.0'").contains("3.0 and 3.1 are read"));
        assert!(error("openapi: 3.2.0").contains("`openapi: 3.2.0`"));
        assert!(error(&" ".repeat(MOST_BYTES + 1)).contains("more than the 8388608"));
        assert!(error(&format!("{{\"a\":{}1{}}}", "[".repeat(80), "]".repeat(80))).contains("64 levels"));
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let mut text = String::from("openapi: 3.1.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let before = vec![format!("*a{}", level - 1); 10].join(", ");
            let _ = writeln!(text, "a{level}: &a{level} [{before}]");
        }
        assert!(matches!(Document::parse(&text), Err(ScaffoldError::Syntax(_))));
    }

    #[test]
    fn references_are_followed_within_the_description_only() {
        let document = document(
            "x: { a: { $ref: '#/x/b' }, b: { $ref: '#/x/c~1%7Bd%7D' }, 'c/{d}': 1, e: { $ref: '#/x/e' }, f: { $ref: 'other.yaml#/a' }, g: { $ref: '#/no' } }",
        );
        let follow = |name: &str| document.follow(&document.root["x"][name]);
        assert_eq!(follow("a"), Ok(&json!(1)));
        assert!(follow("e").unwrap_err().contains("references lead from one to the next"));
        assert!(follow("f").unwrap_err().contains("`other.yaml#/a` is outside"));
        assert!(follow("g").unwrap_err().contains("`#/no` leads nowhere"));
    }

    #[test]
    fn limits_as_3_0_writes_them_are_no_hindrance() {
        let text = "openapi: 3.0.3\nx: { properties: { exclusiveMinimum: { type: integer, minimum: 1, exclusiveMinimum: true } }, example: { exclusiveMinimum: true } }";
        let document = Document::parse(text).unwrap();
        let expected = json!({ "properties": { "exclusiveMinimum": { "type": "integer", "minimum": 1 } }, "example": { "exclusiveMinimum": true } });
        assert_eq!(document.root["x"], expected);
    }
}
