//! The state of a component: what its host keeps behind `wasi:keyvalue`.

use std::sync::{Arc, OnceLock};

use super::{Cas, Store, StoreError};

use bindings::wasi::keyvalue::{atomics, store};

#[expect(clippy::pedantic, reason = "generated code")]
mod bindings {
    wit_bindgen::generate!({ path: "../wit/keyvalue", world: "imports" });
}

/// The store's name on hosts that tell stores apart.
const BUCKET: &str = "default";

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
        Ok(atomics::increment(self.bucket()?, key, delta)?)
    }

    async fn cas(&self, key: &str) -> Result<KeyValueCas, StoreError> {
        let handle = atomics::Cas::new(self.bucket()?, key)?;
        Ok(KeyValueCas { current: handle.current()?, handle })
    }
}

/// See [`Cas`].
#[derive(Debug)]
pub struct KeyValueCas {
    current: Option<Vec<u8>>,
    handle: atomics::Cas,
}

impl Cas for KeyValueCas {
    fn current(&self) -> Option<&[u8]> {
        self.current.as_deref()
    }

    async fn swap(self, value: &[u8]) -> Result<bool, StoreError> {
        match atomics::swap(self.handle, value) {
            Ok(()) => Ok(true),
            Err(atomics::CasError::CasFailed(_)) => Ok(false),
            Err(atomics::CasError::StoreError(error)) => Err(error.into()),
        }
    }
}
