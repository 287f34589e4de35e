//! Where the services keep their state: bytes under string keys, with atomic operations on single keys.
//!
//! There is nothing atomic over several keys. A service therefore puts each decision into one record and takes it by one
//! [`Store::update`]; whatever else it writes must be harmless when the process ends in between.

#[cfg(target_env = "p1")]
mod files;
#[cfg(all(target_env = "p2", not(feature = "stock-keyvalue")))]
mod keyvalue;
#[cfg(not(target_os = "wasi"))]
mod memory;
#[cfg(all(target_env = "p2", feature = "stock-keyvalue"))]
mod stock;

#[cfg(target_env = "p1")]
pub use files::Files;
#[cfg(all(target_env = "p2", not(feature = "stock-keyvalue")))]
pub use keyvalue::KeyValue;
#[cfg(not(target_os = "wasi"))]
pub use memory::Memory;
#[cfg(all(target_env = "p2", feature = "stock-keyvalue"))]
pub use stock::KeyValue;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// How often [`Store::update`] tries before it gives up. Each try that fails means that another writer succeeded.
const TRIES: usize = 100;

/// What can go wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The host has no store for this service.
    #[error("the host has no store for this service; grant it one")]
    NoSuchStore,
    /// The host does not let the service use its store.
    #[error("the host does not let the service use its store; grant it access")]
    AccessDenied,
    /// Others changed the record each time before this change could be written.
    #[error("others changed the record {TRIES} times before a change of it could be written; try again")]
    Contended,
    /// A record is not what this service writes, or cannot be written. Holds its key.
    #[error("the record '{0}' is not one that this service writes; was the store used by something else?")]
    Corrupt(String),
    /// Anything else, in the host's words.
    #[error("the store failed: {0}")]
    Other(String),
}

/// What an update makes of a record.
#[derive(Debug)]
pub enum Decision<R, T> {
    /// Write the record, then answer.
    Write(R, T),
    /// Leave the record as it is, and answer.
    Keep(T),
}

/// A store. Handles are cheap to clone and all see the same state.
pub trait Store: Clone + Send + Sync + 'static {
    /// A key as it was read, see [`Store::cas`].
    type Cas: Cas;

    /// The value of a key.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;

    /// Writes a value, whatever was there.
    fn set(&self, key: &str, value: &[u8]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes a key; one that is not there is no error.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Adds to a counter and answers its new value. A missing key counts as 0; the value is kept as decimal text.
    ///
    /// # Errors
    /// [`StoreError::Other`] when the value is no number or the sum is out of range; the value stays as it was.
    fn increment(&self, key: &str, delta: i64) -> impl Future<Output = Result<i64, StoreError>> + Send;

    /// Reads a key in order to replace its value only if nobody else does so first.
    fn cas(&self, key: &str) -> impl Future<Output = Result<Self::Cas, StoreError>> + Send;

    /// Reads a record.
    fn read<R: DeserializeOwned>(&self, key: &str) -> impl Future<Output = Result<Option<R>, StoreError>> + Send {
        async move { self.get(key).await?.map(|bytes| decode(key, &bytes)).transpose() }
    }

    /// Writes a record, whatever was there.
    fn write<R: Serialize + Sync>(&self, key: &str, record: &R) -> impl Future<Output = Result<(), StoreError>> + Send {
        async move { self.set(key, &encode(key, record)?).await }
    }

    /// Changes a record: reads it, lets `decide` make of it what it will, and writes that if nobody else wrote meanwhile;
    /// otherwise all over again. `decide` can run several times, so it must have no effects of its own.
    ///
    /// # Errors
    /// Those of `decide`, and [`StoreError::Contended`] after many tries.
    fn update<R, T, E>(
        &self,
        key: &str,
        mut decide: impl FnMut(Option<R>) -> Result<Decision<R, T>, E> + Send,
    ) -> impl Future<Output = Result<T, E>> + Send
    where
        R: Serialize + DeserializeOwned + Send,
        T: Send,
        E: From<StoreError> + Send,
    {
        async move {
            for _ in 0..TRIES {
                let cas = self.cas(key).await?;
                let record = cas.current().map(|bytes| decode(key, bytes)).transpose()?;
                match decide(record)? {
                    Decision::Keep(answer) => return Ok(answer),
                    Decision::Write(record, answer) => {
                        if cas.swap(&encode(key, &record)?).await? {
                            return Ok(answer);
                        }
                    }
                }
            }
            Err(StoreError::Contended.into())
        }
    }
}

/// A key as it was read, and the right to replace its value as long as nobody else has.
pub trait Cas: Send + Sync {
    /// The value as it was read; `None` when the key had none.
    fn current(&self) -> Option<&[u8]>;

    /// Writes a value if the key still has the one that was read. Answers whether it did.
    fn swap(self, value: &[u8]) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

fn decode<R: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<R, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Corrupt(key.to_owned()))
}

fn encode<R: Serialize>(key: &str, record: &R) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(record).map_err(|_| StoreError::Corrupt(key.to_owned()))
}

/// What [`Store::increment`] does to a value, where the store itself does not do it.
#[cfg(any(not(target_env = "p2"), feature = "stock-keyvalue"))]
fn incremented(value: Option<&[u8]>, delta: i64) -> Result<i64, StoreError> {
    let value = match value {
        None => 0,
        Some(bytes) => std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
            .ok_or_else(|| StoreError::Other("the value is not a number".into()))?,
    };
    value.checked_add(delta).ok_or_else(|| StoreError::Other("the counter would overflow".into()))
}
