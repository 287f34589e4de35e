//! An example of what a schema describes.

use std::borrow::Cow;

use oas3::spec::{ObjectOrReference, ObjectSchema, Schema};
use serde_json::{Map, Value};

use crate::document::Document;

/// The most schemas that are looked at for one example: descriptions refer to each other, also in circles.
const MOST_SCHEMAS: usize = 1000;

/// The most levels of schemas within schemas.
const MOST_LEVELS: usize = 24;

/// Puts examples together.
pub struct Composer<'a> {
    document: &'a Document,
    left: usize,
    /// The references that are being followed: one that leads back to itself is not followed again.
    open: Vec<String>,
}

impl<'a> Composer<'a> {
    /// For one example.
    pub fn new(document: &'a Document) -> Self {
        Self { document, left: MOST_SCHEMAS, open: Vec::new() }
    }

    /// The example, default or only value of a schema; else one that is put together from those of its parts. Properties
    /// that are not required and have no example are left out, as are those that only answers have.
    ///
    /// # Errors
    /// It has no example, or a reference leads outside, nowhere, or in a circle.
    pub fn example(&mut self, schema: &Schema) -> Result<Value, String> {
        self.compose(schema, MOST_LEVELS)
    }

    /// The example that a schema itself says; `None` without one. Its default is none.
    ///
    /// # Errors
    /// As of [`Self::example`].
    pub fn written(&mut self, schema: &Schema) -> Result<Option<Value>, String> {
        let Some(object) = self.object(schema)? else { return Ok(None) };
        Ok(object.example.iter().chain(&object.examples).find(|value| !value.is_null()).cloned())
    }

    /// The names of all properties that a schema's object may have.
    pub fn properties(&mut self, schema: &Schema) -> Vec<String> {
        let mut names = Vec::new();
        self.collect(schema, MOST_LEVELS, &mut names);
        names
    }

    /// What a schema says, behind any reference; `None` for one that allows all or nothing.
    fn object<'s>(&mut self, schema: &'s Schema) -> Result<Option<Cow<'s, ObjectSchema>>, String> {
        self.left = self.left.checked_sub(1).ok_or("its schema is too large or refers to itself")?;
        match schema {
            Schema::Boolean(_) => Ok(None),
            Schema::Object(object) => match &**object {
                ObjectOrReference::Object(object) => Ok(Some(Cow::Borrowed(object))),
                ObjectOrReference::Ref { .. } => self.document.resolve(object).map(|object| Some(Cow::Owned(object))),
            },
        }
    }

    fn compose(&mut self, schema: &Schema, levels: usize) -> Result<Value, String> {
        let Some(reference) = reference(schema) else { return self.compose_open(schema, levels) };
        if self.open.iter().any(|open| open == reference) {
            return Err("its schema refers to itself".into());
        }
        self.open.push(reference.to_owned());
        let composed = self.compose_open(schema, levels);
        self.open.pop();
        composed
    }

    fn compose_open(&mut self, schema: &Schema, levels: usize) -> Result<Value, String> {
        let levels = levels.checked_sub(1).ok_or("its schema is too deep or refers to itself")?;
        let Some(object) = self.object(schema)? else { return Err("its schema is open and has no example".into()) };
        if let Some(value) = written(&object) {
            return Ok(value);
        }
        if let Some(choice) = object.one_of.iter().chain(&object.any_of).next() {
            return self.compose(choice, levels);
        }
        if let Some(items) = &object.items {
            return Ok(Value::Array(vec![self.compose(items, levels)?]));
        }
        let mut found = Map::new();
        for part in &object.all_of {
            if let Value::Object(part) = self.compose(part, levels)? {
                found.extend(part);
            }
        }
        for (name, property) in &object.properties {
            if self.is_of_answers(property)? {
                continue;
            }
            match self.compose(property, levels) {
                Ok(value) => drop(found.insert(name.clone(), value)),
                Err(why) if object.required.contains(name) => return Err(why),
                Err(_) => {}
            }
        }
        if found.is_empty() { Err("its schema has no example".into()) } else { Ok(Value::Object(found)) }
    }

    /// Whether a property is one that only answers have.
    fn is_of_answers(&mut self, property: &Schema) -> Result<bool, String> {
        Ok(self.object(property)?.is_some_and(|property| property.read_only == Some(true)))
    }

    fn collect(&mut self, schema: &Schema, levels: usize, names: &mut Vec<String>) {
        let Some(levels) = levels.checked_sub(1) else { return };
        let Ok(Some(object)) = self.object(schema) else { return };
        names.extend(object.properties.keys().cloned());
        for part in object.all_of.iter().chain(&object.one_of).chain(&object.any_of) {
            self.collect(part, levels, names);
        }
    }
}

/// Where a schema is, if it is not written here.
fn reference(schema: &Schema) -> Option<&str> {
    match schema {
        Schema::Object(object) => match &**object {
            ObjectOrReference::Ref { ref_path, .. } => Some(ref_path),
            ObjectOrReference::Object(_) => None,
        },
        Schema::Boolean(_) => None,
    }
}

/// The example that stands in a schema itself.
fn written(schema: &ObjectSchema) -> Option<Value> {
    let all = schema.example.iter().chain(&schema.examples).chain(&schema.const_value).chain(&schema.default);
    all.chain(&schema.enum_values).find(|value| !value.is_null()).cloned()
}
