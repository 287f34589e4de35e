//! `${name}` in texts: what is put in its place.

use std::collections::BTreeMap;

use serde_json::Value;

/// Whether a placeholder begins in a text and does not end.
pub fn is_unclosed(text: &str) -> bool {
    text.split("${").skip(1).any(|rest| !rest.contains('}'))
}

/// Puts the values of placeholders into a text; unknown ones stay.
pub fn fill(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut filled = text.to_owned();
    for (name, value) in values {
        filled = filled.replace(&format!("${{{name}}}"), value);
    }
    filled
}

/// Puts the values of placeholders into all strings of a JSON value.
pub fn fill_json(value: &Value, values: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text, values)),
        Value::Array(items) => items.iter().map(|item| fill_json(item, values)).collect(),
        Value::Object(map) => map.iter().map(|(key, item)| (key.clone(), fill_json(item, values))).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_everywhere() {
        let values = BTreeMap::from([("id".to_owned(), "7".to_owned())]);
        let filled = fill_json(&serde_json::json!({"a": ["${id}", 1], "b": {"c": "x${id}${no}"}}), &values);
        assert_eq!(filled, serde_json::json!({"a": ["7", 1], "b": {"c": "x7${no}"}}));
    }
}
