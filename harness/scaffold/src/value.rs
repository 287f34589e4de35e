//! Values and comments of TOML. Every text comes out on one line, whatever is in it.

use serde_json::Value;
use toml_writer::{TomlKeyBuilder, TomlStringBuilder, TomlWrite as _, WriteTomlValue as _};

/// The most characters of a comment's line that come from somebody else's text.
const WIDEST: usize = 400;

/// A text as TOML, on one line.
pub fn string(text: &str) -> String {
    let mut out = String::new();
    write_string(text, &mut out);
    out
}

/// Pairs as an inline table.
pub fn table<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{} = {value}", key(name))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// A key of TOML, quoted where it must be.
pub fn key(text: &str) -> String {
    let key = TomlKeyBuilder::new(text);
    let mut out = String::new();
    infallible(out.key(key.as_unquoted().unwrap_or_else(|| key.as_basic())));
    out
}

/// A JSON value as TOML, on one line. `None` where TOML has no such value: null, or an integer beyond 64 bits with sign.
pub fn json(value: &Value) -> Option<String> {
    let mut out = String::new();
    write(value, &mut out)?;
    Some(out)
}

fn write(value: &Value, out: &mut String) -> Option<()> {
    match value {
        Value::Null => return None,
        Value::Bool(value) => infallible(value.write_toml_value(out)),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => infallible(integer.write_toml_value(out)),
            None if number.is_u64() => return None,
            None => infallible(number.as_f64()?.write_toml_value(out)),
        },
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write(item, out)?;
            }
            out.push(']');
        }
        Value::Object(map) if map.is_empty() => out.push_str("{}"),
        Value::Object(map) => {
            for (index, (name, item)) in map.iter().enumerate() {
                out.push_str(if index == 0 { "{ " } else { ", " });
                out.push_str(&key(name));
                out.push_str(" = ");
                write(item, out)?;
            }
            out.push_str(" }");
        }
    }
    Some(())
}

fn write_string(text: &str, out: &mut String) {
    let text = TomlStringBuilder::new(text);
    infallible(out.value(text.as_basic_pretty().or_else(|| text.as_literal()).unwrap_or_else(|| text.as_basic())));
}

/// Writing into a `String` does not fail.
fn infallible(written: std::fmt::Result) {
    debug_assert!(written.is_ok(), "a String takes everything");
}

/// A text as a line of comment, shortened, without what would end it or is no text.
pub fn comment(text: &str) -> String {
    format!("# {}\n", line(text, WIDEST))
}

/// The beginning of somebody else's text, on one line and without anything that is not shown or changes the direction of
/// what is shown.
pub fn line(text: &str, most: usize) -> String {
    let is_hidden = |char: char| {
        char.is_control()
            || matches!(char, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    let mut kept: String = text.chars().take(most).map(|char| if is_hidden(char) { ' ' } else { char }).collect();
    if text.chars().nth(most).is_some() {
        kept.push('…');
    }
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_is_one_line_and_is_read_as_it_was() {
        let value = json!({
            "a b": ["x\ny", "\"'\u{7f}\u{0}", "C:\\n", "'''", ""], "": { "n": -1, "f": 1.5e300, "t": true, "e": {}, "l": [] },
            "$__toml_private_datetime": "1979-05-27", "i": i64::MIN,
        });
        let text = super::json(&value).unwrap();
        assert_eq!(text.lines().count(), 1);
        let read: toml::Table = toml::from_str(&format!("value = {text}")).unwrap();
        assert_eq!(serde_json::to_value(&read["value"]).unwrap(), value);
    }

    #[test]
    fn what_toml_has_not_is_none() {
        assert_eq!(super::json(&json!({ "a": [null] })), None);
        assert_eq!(super::json(&json!(u64::MAX)), None);
    }

    #[test]
    fn a_comment_is_one_line_of_a_bounded_length() {
        assert_eq!(comment("a\r\nname = 1\u{2028}\u{202e}b\u{0}"), "# a  name = 1  b\n");
        assert!(comment(&"x".repeat(100_000)).len() < 1000);
    }
}
