//! The first draft, for components built to run under the stock server too.

use std::ops::Bound;

use tare_host::values::{BUCKET, Full, PAGE};
use wasmtime::Result;
use wasmtime::component::{Linker, Resource};

use self::generated::wasi::keyvalue::{atomics, store};
use super::{Bucket, HasKeyValue, KeyValueView};

mod generated {
    wasmtime::component::bindgen!({
        path: "../host/wit/keyvalue-draft",
        world: "imports",
        imports: { default: trappable },
        with: { "wasi:keyvalue/store.bucket": crate::keyvalue::Bucket },
    });
}

pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> KeyValueView<'_>,
) -> Result<()> {
    store::add_to_linker::<_, HasKeyValue>(linker, view)?;
    atomics::add_to_linker::<_, HasKeyValue>(linker, view)
}

fn full(full: Full) -> store::Error {
    store::Error::Other(full.to_string())
}

impl store::Host for KeyValueView<'_> {
    fn open(&mut self, identifier: String) -> Result<Result<Resource<Bucket>, store::Error>> {
        // The empty name is the stock server's.
        let known = identifier == BUCKET || identifier.is_empty();
        Ok(if known { Ok(Resource::new_own(0)) } else { Err(store::Error::NoSuchStore) })
    }
}

impl store::HostBucket for KeyValueView<'_> {
    fn get(&mut self, _: Resource<Bucket>, key: String) -> Result<Result<Option<Vec<u8>>, store::Error>> {
        Ok(Ok(self.values.get(&key)))
    }

    fn set(&mut self, _: Resource<Bucket>, key: String, value: Vec<u8>) -> Result<Result<(), store::Error>> {
        Ok(self.values.set(key, value).map_err(full))
    }

    fn delete(&mut self, _: Resource<Bucket>, key: String) -> Result<Result<(), store::Error>> {
        self.values.delete(&key);
        Ok(Ok(()))
    }

    fn exists(&mut self, _: Resource<Bucket>, key: String) -> Result<Result<bool, store::Error>> {
        Ok(Ok(self.values.exists(&key)))
    }

    fn list_keys(
        &mut self,
        _: Resource<Bucket>,
        cursor: Option<u64>,
    ) -> Result<Result<store::KeyResponse, store::Error>> {
        let skip = cursor.unwrap_or(0);
        let (keys, more) = self.values.keys(Bound::Unbounded, usize::try_from(skip).unwrap_or(usize::MAX));
        let cursor = more.then(|| skip.saturating_add(PAGE as u64));
        Ok(Ok(store::KeyResponse { keys, cursor }))
    }

    fn drop(&mut self, _: Resource<Bucket>) -> Result<()> {
        Ok(())
    }
}

impl atomics::Host for KeyValueView<'_> {
    fn increment(&mut self, _: Resource<Bucket>, key: String, delta: u64) -> Result<Result<u64, store::Error>> {
        let sum = self.values.increment(key, |number: u64| number.checked_add(delta));
        Ok(sum.map_err(|error| store::Error::Other(error.to_string())))
    }
}
