//! The examples of bodies.

use oas3::Map;
use oas3::spec::{MediaType, MediaTypeExamples};
use serde_json::Value;

use crate::document::Document;
use crate::schema::Composer;

/// A body's media type, and what has its examples.
pub type Content<'a> = (&'a str, &'a MediaType);

/// The first media type that a step can send: JSON before forms before text.
///
/// # Errors
/// There is none; with those that there are.
pub fn sendable(content: &Map<String, MediaType>) -> Result<Content<'_>, String> {
    let first = |is_it: fn(&str) -> bool| content.iter().find(|(name, _)| is_it(essence(name)));
    let found =
        first(is_json).or_else(|| first(|name| name == FORM)).or_else(|| first(|name| name.starts_with("text/")));
    let names = || content.keys().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    found.map(|(name, media)| (essence(name), media)).ok_or_else(|| format!("a body of `{}` is not written", names()))
}

/// The media type of forms.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A media type without its parameters.
pub fn essence(name: &str) -> &str {
    name.split(';').next().unwrap_or_default().trim()
}

/// Whether bodies of a media type are JSON.
pub fn is_json(name: &str) -> bool {
    name.eq_ignore_ascii_case("application/json") || name.to_ascii_lowercase().ends_with("+json")
}

/// The example of a media type as the description writes it; `None` if it has none.
///
/// # Errors
/// It is elsewhere and cannot be found.
pub fn written(document: &Document, media: &MediaType) -> Result<Option<Value>, String> {
    match &media.examples {
        Some(MediaTypeExamples::Example { example }) if !example.is_null() => Ok(Some(example.clone())),
        Some(MediaTypeExamples::Examples { examples }) => {
            let Some(example) = examples.values().next() else { return Ok(None) };
            Ok(document.resolve(example)?.value)
        }
        _ => Ok(None),
    }
}

/// An example of a media type, put together from its schema where it has none of its own.
///
/// # Errors
/// It has none.
pub fn of(document: &Document, media: &MediaType) -> Result<Value, String> {
    if let Some(value) = written(document, media)? {
        return Ok(value);
    }
    let schema = media.schema.as_ref().ok_or("it has neither an example nor a schema")?;
    Composer::new(document).example(schema)
}
