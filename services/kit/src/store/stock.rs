//! The state of a component under a stock `wasmtime serve`, which knows only the first draft of `wasi:keyvalue`.
//!
//! That draft cannot swap, so what must be atomic is a read and a write here. Nothing comes between the two: the stock
//! server gives each request a store of its own, which is empty at first and gone with the request.

use std::sync::{Arc, OnceLock};

use super::{Cas, Store, StoreError, incremented};

use bindings::wasi::keyvalue::store;

#[expect(clippy::pedantic, reason = "generated code")]
mod bindings {
    wit_bindgen::generate!({ path: "../wit/keyvalue-stock", world: "imports" });
}

/// The only name that the stock store has.
const BUCKET: &str = "";

/// The store that the host grants. Opened when it is first needed, since many requests need none. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct KeyValue {
    bucket: Arc<OnceLock<store::Bucket>>,
}

impl KeyValue {
    fn bucket(&self) -> Result<&store::Bucket, StoreError> {
        if let Some(bucket) = self.bucket.get() {
            return Ok(bucket);
        }
        let bucket = store::open(BUCKET)?;
        Ok(self.bucket.get_or_init(|| bucket))
    }
}

impl From<store::Error> for StoreError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NoSuchStore => Self::NoSuchStore,
            store::Error::AccessDenied => Self::AccessDenied,
            store::Error::Other(what) => Self::Other(what),
        }
    }
}

impl Store for KeyValue {
    type Cas = KeyValueCas;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.bucket()?.get(key)?)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        Ok(self.bucket()?.set(key, value)?)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        Ok(self.bucket()?.delete(key)?)
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        let sum = incremented(self.bucket()?.get(key)?.as_deref(), delta)?;
        self.bucket()?.set(key, sum.to_string().as_bytes())?;
        Ok(sum)
    }

    async fn cas(&self, key: &str) -> Result<KeyValueCas, StoreError> {
        let current = self.bucket()?.get(key)?;
        Ok(KeyValueCas { store: self.clone(), key: key.to_owned(), current })
    }
}

/// See [`Cas`].
#[derive(Debug)]
pub struct KeyValueCas {
    store: KeyValue,
    key: String,
    current: Option<Vec<u8>>,
}

impl Cas for KeyValueCas {
    fn current(&self) -> Option<&[u8]> {
        self.current.as_deref()
    }

    async fn swap(self, value: &[u8]) -> Result<bool, StoreError> {
        if self.store.bucket()?.get(&self.key)? != self.current {
            return Ok(false);
        }
        self.store.bucket()?.set(&self.key, value)?;
        Ok(true)
    }
}
