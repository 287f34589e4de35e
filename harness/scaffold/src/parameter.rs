//! Parameters of a request, written into its path, query and headers.

use std::collections::BTreeMap;

use oas3::spec::{Parameter, ParameterIn, ParameterStyle};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::document::Document;
use crate::example;
use crate::schema::Composer;
use crate::value::line;

/// The most characters of a name in an error.
const SHOWN: usize = 100;

/// What is written as `%XX` in a value: all but what RFC 3986 calls unreserved.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// And in the fixed part of a path: what cannot stand in a path at all, and the braces of placeholders.
const FIXED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The headers that `OpenAPI` takes from elsewhere: a parameter of that name is ignored.
const IGNORED: [&str; 3] = ["accept", "authorization", "content-type"];

/// What parameters add to a request.
#[derive(Debug, Default)]
pub struct Filled {
    /// The values of the path's parameters, by name, ready to be put into a path.
    pub path: BTreeMap<String, String>,
    /// The query, without `?`.
    pub query: Vec<String>,
    /// Headers.
    pub headers: BTreeMap<String, String>,
}

/// Fills in all parameters that have an example. One of the path without an example is left to the caller, and one that
/// is not required is left out.
///
/// # Errors
/// One that is required has no example, or a form that is not written.
pub fn fill(document: &Document, parameters: &[Parameter]) -> Result<Filled, String> {
    let mut filled = Filled::default();
    for parameter in parameters {
        let added = filled.add(document, parameter);
        match added {
            Err(why) if parameter.required == Some(true) => {
                return Err(format!("its parameter `{}` {why}", line(&parameter.name, SHOWN)));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(filled)
}

impl Filled {
    fn add(&mut self, document: &Document, parameter: &Parameter) -> Result<(), String> {
        let name = &parameter.name;
        let is_ignored = IGNORED.contains(&name.to_ascii_lowercase().as_str());
        if parameter.location == ParameterIn::Header && is_ignored {
            return Ok(());
        }
        let value = match value(document, parameter) {
            Ok(Some(value)) => value,
            // An earlier step may have it.
            Ok(None) | Err(_) if parameter.location == ParameterIn::Path => return Ok(()),
            Ok(None) => return Err("has no example".into()),
            Err(why) => return Err(format!("cannot be filled in: {why}")),
        };
        match parameter.location {
            ParameterIn::Path => drop(self.path.insert(name.clone(), encode(&joined(parameter, &value)?))),
            ParameterIn::Query => self.query.extend(query(parameter, &value)?),
            ParameterIn::Header => drop(self.headers.insert(name.clone(), joined(parameter, &value)?)),
            ParameterIn::Cookie => {
                let cookie = format!("{}={}", encode(name), encode(&joined(parameter, &value)?));
                let cookies = self.headers.entry("cookie".into()).or_default();
                cookies.push_str(if cookies.is_empty() { "" } else { "; " });
                cookies.push_str(&cookie);
            }
        }
        Ok(())
    }
}

/// Puts the values of parameters into a path.
///
/// # Errors
/// A parameter of the path has no value.
pub fn path(template: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    let mut path = String::new();
    let mut rest = template;
    while let Some((fixed, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            return Err("its path has a `{` without its `}`".into());
        };
        path.extend(utf8_percent_encode(fixed, FIXED));
        let value = values.get(name).ok_or_else(|| format!("its parameter `{name}` has no example"))?;
        path.push_str(value);
        rest = after;
    }
    path.extend(utf8_percent_encode(rest, FIXED));
    Ok(path)
}

/// The example of a parameter. A default counts only where the parameter is required: without it the service takes it anyway.
fn value(document: &Document, parameter: &Parameter) -> Result<Option<Value>, String> {
    if let Some(example) = parameter.example.iter().find(|example| !example.is_null()) {
        return Ok(Some(example.clone()));
    }
    if let Some(example) = parameter.examples.values().next() {
        return Ok(document.resolve(example)?.value);
    }
    if let Some((_, media)) = parameter.content.iter().flatten().next() {
        // A whole document in a parameter goes in as text.
        return Ok(Some(Value::String(match example::of(document, media)? {
            Value::String(text) => text,
            other => other.to_string(),
        })));
    }
    match &parameter.schema {
        Some(schema) if parameter.required == Some(true) => Composer::new(document).example(schema).map(Some),
        Some(schema) => Composer::new(document).written(schema),
        None => Ok(None),
    }
}

/// A value as one text, the elements of a list joined by commas.
fn joined(parameter: &Parameter, value: &Value) -> Result<String, String> {
    let is_usual = matches!(parameter.style, None | Some(ParameterStyle::Simple | ParameterStyle::Form));
    let text = match value {
        Value::Array(items) => items.iter().map(scalar).collect::<Option<Vec<_>>>().map(|texts| texts.join(",")),
        other => scalar(other),
    };
    let is_written = is_usual || (parameter.location == ParameterIn::Query && !value.is_array());
    text.filter(|text| is_written && !text.is_empty()).ok_or_else(|| "has a form that is not written".into())
}

/// A parameter of the query: a pair for each element of a list, unless it says otherwise.
fn query(parameter: &Parameter, value: &Value) -> Result<Vec<String>, String> {
    let pair = |value: &Value| Ok(format!("{}={}", encode(&parameter.name), encode(&joined(parameter, value)?)));
    match (value, parameter.style) {
        (Value::Array(items), None | Some(ParameterStyle::Form)) if parameter.explode != Some(false) => {
            items.iter().map(pair).collect()
        }
        _ => Ok(vec![pair(value)?]),
    }
}

/// A body of a form.
///
/// # Errors
/// The value is no object of scalars.
pub fn form(value: &Value) -> Result<String, String> {
    let map = value.as_object().ok_or("the example of its form is no object")?;
    let pair = |(name, value): (&String, &Value)| {
        let value = scalar(value).ok_or_else(|| format!("the field `{name}` of its form is no single value"))?;
        Ok(format!("{}={}", encode(name), encode(&value)))
    };
    map.iter().map(pair).collect::<Result<Vec<_>, String>>().map(|pairs| pairs.join("&"))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(parameters: &Value) -> Result<Filled, String> {
        let document = Document::parse("openapi: 3.1.0").unwrap();
        fill(&document, &crate::document::read::<Vec<Parameter>>(parameters).unwrap())
    }

    #[test]
    fn values_go_where_they_belong_and_are_escaped() {
        let filled = filled(&json!([
            { "name": "id", "in": "path", "required": true, "example": "a/b ${x}" },
            { "name": "tag", "in": "query", "example": ["x&y", 2] },
            { "name": "all", "in": "query", "explode": false, "example": [1, 2] },
            { "name": "limit", "in": "query", "schema": { "type": "integer", "default": 20 } },
            { "name": "size", "in": "query", "required": true, "schema": { "type": "integer", "default": 20 } },
            { "name": "X-Trace", "in": "header", "schema": { "type": "string", "example": "t1" } },
            { "name": "Accept", "in": "header", "example": "text/html" },
            { "name": "who", "in": "cookie", "example": "ann b" },
        ]))
        .unwrap();
        assert_eq!(filled.query, ["tag=x%26y", "tag=2", "all=1%2C2", "size=20"]);
        assert_eq!(
            filled.headers,
            BTreeMap::from([("X-Trace", "t1"), ("cookie", "who=ann%20b")].map(|(a, b)| (a.into(), b.into())))
        );
        assert_eq!(path("/ü x/{id}/y", &filled.path).unwrap(), "/%C3%BC%20x/a%2Fb%20%24%7Bx%7D/y");
        assert!(path("/{other}", &filled.path).unwrap_err().contains("`other` has no example"));
        assert!(path("/{id", &filled.path).is_err());
    }

    #[test]
    fn what_is_required_and_not_known_is_named() {
        let error = |parameter: Value| filled(&json!([parameter])).unwrap_err();
        assert!(error(json!({ "name": "q", "in": "query", "required": true })).contains("`q` has no example"));
        let deep =
            json!({ "name": "f", "in": "query", "style": "deepObject", "required": true, "example": { "a": 1 } });
        assert!(error(deep).contains("`f` has a form that is not written"));
    }

    #[test]
    fn a_form_is_pairs() {
        assert_eq!(form(&json!({ "a": "x y", "b": 1 })).unwrap(), "a=x%20y&b=1");
        assert!(form(&json!({ "a": [1] })).unwrap_err().contains("`a`"));
    }
}
