//! The second draft, with compare-and-swap: what the services use.

use std::ops::Bound;

use tare_host::values::{BUCKET, Cas, Full, SwapError};
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
            "wasi:keyvalue/atomics.cas": tare_host::values::Cas,
        },
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
        Ok(if identifier == BUCKET { Ok(Resource::new_own(0)) } else { Err(store::Error::NoSuchStore) })
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
        Ok(match self.table.delete(cas)?.swap(value) {
            Ok(()) => Ok(()),
            Err(SwapError::Changed(cas)) => Err(atomics::CasError::CasFailed(self.table.push(cas)?)),
            Err(SwapError::Full(error)) => Err(atomics::CasError::StoreError(full(error))),
        })
    }
}

impl atomics::HostCas for KeyValueView<'_> {
    fn new(&mut self, _: Resource<Bucket>, key: String) -> Result<Result<Resource<Cas>, store::Error>> {
        Ok(match self.values.cas(key) {
            Ok(cas) => Ok(self.table.push(cas)?),
            Err(error) => Err(full(error)),
        })
    }

    fn current(&mut self, cas: Resource<Cas>) -> Result<Result<Option<Vec<u8>>, store::Error>> {
        Ok(Ok(self.table.get(&cas)?.current().map(<[u8]>::to_vec)))
    }

    fn drop(&mut self, cas: Resource<Cas>) -> Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}
