//! `fields`: headers and trailers.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::abi::{Borrow, Trap, variant};
use crate::state::State;
use crate::wasi::table::Interface;

/// The most that the names and values of a set of fields may take, in bytes, with what holds them: as on the other host.
const MOST: usize = 128 * 1024;

/// Headers that belong to a connection, which is the host's: components neither see nor set them.
const FORBIDDEN: [&str; 9] = [
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

variant! {
    /// Why a field was not set.
    pub enum HeaderError {
        /// Its name or value is not one.
        InvalidSyntax,
        /// Its name is not a component's to set.
        Forbidden,
        /// The fields are those of a message that is there already.
        Immutable,
    }
}

/// Headers or trailers. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    map: Arc<HeaderMap>,
    immutable: bool,
}

impl Fields {
    /// Those of a message that came in, without what belongs to its connection.
    pub fn received(mut map: HeaderMap) -> Self {
        for name in FORBIDDEN {
            map.remove(name);
        }
        Self { map: Arc::new(map), immutable: true }
    }

    /// The same, not to be changed any more.
    #[must_use]
    pub fn frozen(self) -> Self {
        Self { immutable: true, ..self }
    }

    /// As a map.
    pub fn into_map(self) -> HeaderMap {
        Arc::unwrap_or_clone(self.map)
    }

    /// The length of a body that they promise, in bytes.
    pub fn content_length(&self) -> Option<u64> {
        self.map.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    fn map_mut(&mut self) -> Result<&mut HeaderMap, HeaderError> {
        if self.immutable { Err(HeaderError::Immutable) } else { Ok(Arc::make_mut(&mut self.map)) }
    }

    fn append(&mut self, name: &str, value: &[u8]) -> Result<Result<(), HeaderError>, Trap> {
        let (name, value) = match field(name, value) {
            Ok(field) => field,
            Err(error) => return Ok(Err(error)),
        };
        if name == header::CONTENT_LENGTH && self.map.contains_key(&name) {
            // Two lengths would be two ways to read a message.
            return Ok(Err(HeaderError::InvalidSyntax));
        }
        let map = match self.map_mut() {
            Ok(map) => map,
            Err(error) => return Ok(Err(error)),
        };
        if map.try_append(name, value).is_err() || size(map) > MOST {
            return Err(Trap::misuse(format!("the fields take more than {MOST} bytes")));
        }
        Ok(Ok(()))
    }

    fn set(&mut self, name: &str, values: &[Bytes]) -> Result<Result<(), HeaderError>, Trap> {
        let mut with_new = self.clone();
        match with_new.delete(name) {
            Ok(()) => {}
            Err(error) => return Ok(Err(error)),
        }
        for value in values {
            if let Err(error) = with_new.append(name, value)? {
                return Ok(Err(error));
            }
        }
        *self = with_new;
        Ok(Ok(()))
    }

    fn delete(&mut self, name: &str) -> Result<(), HeaderError> {
        let name = settable(name)?;
        self.map_mut()?.remove(name);
        Ok(())
    }

    fn get(&self, name: &str) -> impl Iterator<Item = Bytes> {
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        name.into_iter().flat_map(|name| self.map.get_all(name)).map(|value| Bytes::copy_from_slice(value.as_bytes()))
    }
}

/// A name that a component may set.
fn settable(name: &str) -> Result<HeaderName, HeaderError> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderError::InvalidSyntax)?;
    if FORBIDDEN.contains(&name.as_str()) { Err(HeaderError::Forbidden) } else { Ok(name) }
}

fn field(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), HeaderError> {
    let name = settable(name)?;
    // RFC 9110, section 8.6: digits, and nothing else.
    let is_number =
        || std::str::from_utf8(value).is_ok_and(|text| text.parse::<u64>().is_ok() && !text.starts_with('+'));
    if name == header::CONTENT_LENGTH && !is_number() {
        return Err(HeaderError::InvalidSyntax);
    }
    let value = HeaderValue::from_bytes(value).map_err(|_| HeaderError::InvalidSyntax)?;
    Ok((name, value))
}

/// What fields take, in bytes, with the structures that hold them: an empty one counts too.
fn size(map: &HeaderMap) -> usize {
    let names = map.keys().map(|name| name.as_str().len() + size_of::<HeaderName>());
    let values = map.values().map(|value| value.len() + size_of::<HeaderValue>());
    names.chain(values).sum()
}

/// Adds the resource.
pub fn add(mut types: Interface<'_>) {
    types
        .resource::<Fields>()
        .function("[constructor]fields", |state, ()| state.handles.push(Fields::default()))
        .function("[static]fields.from-list", |state, (entries,): (Vec<(String, Bytes)>,)| {
            let mut fields = Fields::default();
            for (name, value) in entries {
                if let Err(error) = fields.append(&name, &value)? {
                    return Ok(Err(error));
                }
            }
            Ok(Ok(state.handles.push(fields)?))
        })
        .function("[method]fields.get", |state, (fields, name): (Borrow<Fields>, String)| {
            Ok(state.handles.get(fields)?.get(&name).collect::<Vec<_>>())
        })
        .function("[method]fields.has", |state, (fields, name): (Borrow<Fields>, String)| {
            Ok(state.handles.get(fields)?.get(&name).next().is_some())
        })
        .function("[method]fields.set", |state, (fields, name, values): (Borrow<Fields>, String, Vec<Bytes>)| {
            state.handles.get_mut(fields)?.set(&name, &values)
        })
        .function("[method]fields.delete", |state, (fields, name): (Borrow<Fields>, String)| {
            Ok(state.handles.get_mut(fields)?.delete(&name))
        })
        .function("[method]fields.append", |state, (fields, name, value): (Borrow<Fields>, String, Bytes)| {
            state.handles.get_mut(fields)?.append(&name, &value)
        })
        .function("[method]fields.entries", entries)
        .function("[method]fields.clone", |state, (fields,)| {
            let fields = Fields { immutable: false, ..state.handles.get::<Fields>(fields)?.clone() };
            state.handles.push(fields)
        });
}

fn entries(state: &mut State, (fields,): (Borrow<Fields>,)) -> Result<Vec<(String, Bytes)>, Trap> {
    let entry = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))
    };
    Ok(state.handles.get(fields)?.map.iter().map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(fields: &mut Fields, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        fields.append(name, value).unwrap()
    }

    #[test]
    fn what_belongs_to_a_connection_is_neither_seen_nor_set() {
        let mut map = HeaderMap::new();
        map.append("host", HeaderValue::from_static("here"));
        map.append("accept", HeaderValue::from_static("all"));
        let received = Fields::received(map);
        assert_eq!(received.get("host").count(), 0);
        assert_eq!(received.get("accept").collect::<Vec<_>>(), ["all"]);
        let mut fields = Fields::default();
        assert_eq!(append(&mut fields, "Transfer-Encoding", b"chunked"), Err(HeaderError::Forbidden));
        assert_eq!(fields.delete("Upgrade"), Err(HeaderError::Forbidden));
    }

    #[test]
    fn fields_are_checked_and_a_refused_change_changes_nothing() {
        let mut fields = Fields::default();
        assert_eq!(append(&mut fields, "bad name", b"x"), Err(HeaderError::InvalidSyntax));
        assert_eq!(append(&mut fields, "name", b"bad\nvalue"), Err(HeaderError::InvalidSyntax));
        for length in [&b"+1"[..], b"", b"-1", b"x", b"1 "] {
            assert_eq!(append(&mut fields, "content-length", length), Err(HeaderError::InvalidSyntax));
        }
        append(&mut fields, "content-length", b"7").unwrap();
        assert_eq!(append(&mut fields, "Content-Length", b"7"), Err(HeaderError::InvalidSyntax));
        assert_eq!(fields.content_length(), Some(7));
        append(&mut fields, "a", b"1").unwrap();
        assert_eq!(
            fields.set("a", &[Bytes::from_static(b"2"), Bytes::from_static(b"\n")]).unwrap(),
            Err(HeaderError::InvalidSyntax)
        );
        assert_eq!(fields.get("A").collect::<Vec<_>>(), ["1"]);
        fields.set("a", &[Bytes::from_static(b"2"), Bytes::from_static(b"3")]).unwrap().unwrap();
        assert_eq!(fields.get("a").collect::<Vec<_>>(), ["2", "3"]);
        let mut frozen = fields.frozen();
        assert_eq!(append(&mut frozen, "b", b"1"), Err(HeaderError::Immutable));
        assert_eq!(frozen.delete("a"), Err(HeaderError::Immutable));
    }

    #[test]
    fn fields_do_not_grow_without_bound() {
        let mut fields = Fields::default();
        let refused = (0..MOST).find_map(|_| fields.append("a", b"").err());
        assert!(refused.unwrap().to_string().contains("more than"));
    }
}
