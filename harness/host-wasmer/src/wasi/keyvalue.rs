//! `wasi:keyvalue`, in the two drafts that are in use, over the values of the service.

use std::ops::Bound;

use bytes::Bytes;
use tare_host::values::{BUCKET, Cas, Full, PAGE, SwapError};

use super::table::{Interface, Table};
use crate::abi::{Borrow, Own, Trap, record, variant};
use crate::state::State;

/// A handle on a bucket. It carries nothing, since a service has only one.
#[derive(Debug)]
pub struct Bucket;

variant! {
    /// Why an operation did not happen.
    pub enum StoreError {
        /// There is no store of this name.
        NoSuchStore,
        /// It was not granted; this host never says so.
        AccessDenied,
        /// Anything else, in words.
        Other(String),
    }
}

variant! {
    /// Why a swap did not happen.
    pub enum CasError {
        /// The store failed.
        StoreError(StoreError),
        /// Somebody else wrote; the handle sees the value as it is now.
        CasFailed(Own<Cas>),
    }
}

impl From<Full> for StoreError {
    fn from(full: Full) -> Self {
        Self::Other(full.to_string())
    }
}

record! {
    /// A page of keys in the second draft.
    pub struct KeyPage {
        /// The keys.
        keys: Vec<String>,
        /// Where to go on.
        cursor: Option<String>,
    }
}

record! {
    /// A page of keys in the first draft.
    pub struct NumberedKeyPage {
        /// The keys.
        keys: Vec<String>,
        /// How many to skip to go on.
        cursor: Option<u64>,
    }
}

type Outcome<T> = Result<Result<T, StoreError>, Trap>;

const DRAFT: (&str, &str) = ("wasi:keyvalue/store@0.2.0-draft", "wasi:keyvalue/atomics@0.2.0-draft");
const DRAFT2: (&str, &str) = ("wasi:keyvalue/store@0.2.0-draft2", "wasi:keyvalue/atomics@0.2.0-draft2");

/// Adds the interfaces.
pub fn add(table: &mut Table) {
    add_both(Interface::new(DRAFT.0, table));
    add_both(Interface::new(DRAFT2.0, table));
    Interface::new(DRAFT.0, table)
        // The empty name is the stock server's.
        .function("open", |state, (name,): (String,)| open(state, name == BUCKET || name.is_empty()))
        .function("[method]bucket.list-keys", numbered_keys);
    Interface::new(DRAFT.1, table).function("increment", |state, (bucket, key, delta)| {
        state.handles.get::<Bucket>(bucket)?;
        let sum = state.context.values.increment(key, |number: u64| number.checked_add(delta));
        Ok(sum.map_err(|error| StoreError::Other(error.to_string())))
    });
    Interface::new(DRAFT2.0, table)
        .function("open", |state, (name,): (String,)| open(state, name == BUCKET))
        .function("[method]bucket.list-keys", keys);
    Interface::new(DRAFT2.1, table)
        .resource::<Cas>()
        .function("increment", |state, (bucket, key, delta)| {
            state.handles.get::<Bucket>(bucket)?;
            let sum = state.context.values.increment(key, |number: i64| number.checked_add(delta));
            Ok(sum.map_err(|error| StoreError::Other(error.to_string())))
        })
        .function("[static]cas.new", |state, (bucket, key): (Borrow<Bucket>, String)| -> Outcome<_> {
            state.handles.get(bucket)?;
            Ok(match state.context.values.cas(key) {
                Ok(cas) => Ok(state.handles.push(cas)?),
                Err(full) => Err(full.into()),
            })
        })
        .function("[method]cas.current", |state, (cas,): (Borrow<Cas>,)| -> Outcome<_> {
            Ok(Ok(state.handles.get(cas)?.current().map(Bytes::copy_from_slice)))
        })
        .function("swap", swap);
}

/// What the drafts have in common.
fn add_both(mut store: Interface<'_>) {
    store
        .resource::<Bucket>()
        .function("[method]bucket.get", |state, (bucket, key): (Borrow<Bucket>, String)| -> Outcome<_> {
            state.handles.get(bucket)?;
            Ok(Ok(state.context.values.get(&key).map(Bytes::from)))
        })
        .function("[method]bucket.set", |state, (bucket, key, value): (Borrow<Bucket>, _, Bytes)| -> Outcome<_> {
            state.handles.get(bucket)?;
            Ok(state.context.values.set(key, value.into()).map_err(StoreError::from))
        })
        .function("[method]bucket.delete", |state, (bucket, key): (Borrow<Bucket>, String)| -> Outcome<_> {
            state.handles.get(bucket)?;
            state.context.values.delete(&key);
            Ok(Ok(()))
        })
        .function("[method]bucket.exists", |state, (bucket, key): (Borrow<Bucket>, String)| -> Outcome<_> {
            state.handles.get(bucket)?;
            Ok(Ok(state.context.values.exists(&key)))
        });
}

fn open(state: &mut State, known: bool) -> Outcome<Own<Bucket>> {
    Ok(if known { Ok(state.handles.push(Bucket)?) } else { Err(StoreError::NoSuchStore) })
}

fn keys(state: &mut State, (bucket, cursor): (Borrow<Bucket>, Option<String>)) -> Outcome<KeyPage> {
    state.handles.get(bucket)?;
    let start = cursor.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let (keys, more) = state.context.values.keys(start, 0);
    let cursor = if more { keys.last().cloned() } else { None };
    Ok(Ok(KeyPage { keys, cursor }))
}

fn numbered_keys(state: &mut State, (bucket, cursor): (Borrow<Bucket>, Option<u64>)) -> Outcome<NumberedKeyPage> {
    state.handles.get(bucket)?;
    let skip = cursor.unwrap_or(0);
    let (keys, more) = state.context.values.keys(Bound::Unbounded, usize::try_from(skip).unwrap_or(usize::MAX));
    let cursor = more.then(|| skip.saturating_add(PAGE as u64));
    Ok(Ok(NumberedKeyPage { keys, cursor }))
}

fn swap(state: &mut State, (cas, value): (Own<Cas>, Bytes)) -> Result<Result<(), CasError>, Trap> {
    match state.handles.take(cas)?.swap(value.into()) {
        Ok(()) => Ok(Ok(())),
        Err(SwapError::Changed(cas)) => Ok(Err(CasError::CasFailed(state.handles.push(cas)?))),
        Err(SwapError::Full(full)) => Ok(Err(CasError::StoreError(full.into()))),
    }
}
