//! The state of a native process: maps in its own memory, gone with the process.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Cas, Store, StoreError, incremented};

/// Into how many maps the keys are spread, so that threads seldom wait for each other.
const SHARDS: usize = 16;

type Map = HashMap<String, Vec<u8>>;

/// A store in the memory of this process. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    hasher: RandomState,
    shards: [Mutex<Map>; SHARDS],
}

impl Memory {
    fn shard(&self, key: &str) -> MutexGuard<'_, Map> {
        let hash = self.shared.hasher.hash_one(key);
        let shard = &self.shared.shards[usize::try_from(hash % SHARDS as u64).unwrap_or(0)];
        // No operation leaves a map half changed, so one that panicked did no harm.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    type Cas = MemoryCas;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.shard(key).get(key).cloned())
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.shard(key).insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.shard(key).remove(key);
        Ok(())
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        let mut map = self.shard(key);
        let sum = incremented(map.get(key).map(Vec::as_slice), delta)?;
        map.insert(key.to_owned(), sum.to_string().into_bytes());
        Ok(sum)
    }

    async fn cas(&self, key: &str) -> Result<MemoryCas, StoreError> {
        let current = self.shard(key).get(key).cloned();
        Ok(MemoryCas { store: self.clone(), key: key.to_owned(), current })
    }
}

/// See [`Cas`].
#[derive(Debug)]
pub struct MemoryCas {
    store: Memory,
    key: String,
    current: Option<Vec<u8>>,
}

impl Cas for MemoryCas {
    fn current(&self) -> Option<&[u8]> {
        self.current.as_deref()
    }

    async fn swap(self, value: &[u8]) -> Result<bool, StoreError> {
        let mut map = self.store.shard(&self.key);
        if map.get(&self.key) != self.current.as_ref() {
            return Ok(false);
        }
        map.insert(self.key, value.to_owned());
        Ok(true)
    }
}
