//! The second draft, with compare-and-swap: what the services use.

use std::ops::Bound;

use tare_host::values::BUCKET;
use wasmtime::Result;
use wasmtime::component::{Linker, Resource};

use self::generated::wasi::keyvalue::{atomics, store};
use super::{Bucket, HasKeyValue, KeyValueView};

mod generated {
    wasmtime::component::bindgen!({
        path: "../host/wit/keyvalue-draft2",
        world: "imports",
        imports: { default: trappable },
        with: {
            "wasi:keyvalue/store.bucket": crate::keyvalue::Bucket,
            "wasi:keyvalue/atomics.cas": super::Cas,
        },
    });
}

/// A key and the value it had.
#[derive(Debug)]
pub struct Cas {
    key: String,
    current: Option<Vec<u8>>,
}

pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> KeyValueView<'_>,
) -> Result<()> {
    store::add_to_linker::<_, HasKeyValue>(linker, view)?;
    atomics::add_to_linker::<_, HasKeyValue>(linker, view)
}

impl store::Host for KeyValueView<'_> {
    fn open(&mut self, identifier: String) -> Result<Result<Resource<Bucket>, store::Error>> {
        Ok(if identifier == BUCKET { Ok(Resource::new_own(0)) } else { Err(store::Error::NoSuchStore) })
    }
}

impl store::HostBucket for KeyValueView<'_> {
    fn get(&mut self, _: Resource<Bucket>, key: String) -> Result<Result<Option<Vec<u8>>, store::Error>> {
        Ok(Ok(self.values.get(&key)))
    }

    fn set(&mut self, _: Resource<Bucket>, key: String, value: Vec<u8>) -> Result<Result<(), store::Error>> {
        self.values.set(key, value);
        Ok(Ok(()))
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
        cursor: Option<String>,
    ) -> Result<Result<store::KeyResponse, store::Error>> {
        let start = cursor.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let (keys, more) = self.values.keys(start, 0);
        let cursor = if more { keys.last().cloned() } else { None };
        Ok(Ok(store::KeyResponse { keys, cursor }))
    }

    fn drop(&mut self, _: Resource<Bucket>) -> Result<()> {
        Ok(())
    }
}

impl atomics::Host for KeyValueView<'_> {
    fn increment(&mut self, _: Resource<Bucket>, key: String, delta: i64) -> Result<Result<i64, store::Error>> {
        let sum = self.values.increment(key, |number: i64| number.checked_add(delta));
        Ok(sum.map_err(|error| store::Error::Other(error.to_string())))
    }

    fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> Result<Result<(), atomics::CasError>> {
        let Cas { key, current } = self.table.delete(cas)?;
        Ok(match self.values.swap(&key, current.as_deref(), value) {
            Ok(()) => Ok(()),
            Err(current) => Err(atomics::CasError::CasFailed(self.table.push(Cas { key, current })?)),
        })
    }
}

impl atomics::HostCas for KeyValueView<'_> {
    fn new(&mut self, _: Resource<Bucket>, key: String) -> Result<Result<Resource<Cas>, store::Error>> {
        let current = self.values.get(&key);
        Ok(Ok(self.table.push(Cas { key, current })?))
    }

    fn current(&mut self, cas: Resource<Cas>) -> Result<Result<Option<Vec<u8>>, store::Error>> {
        Ok(Ok(self.table.get(&cas)?.current.clone()))
    }

    fn drop(&mut self, cas: Resource<Cas>) -> Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}
