//! `wasi:keyvalue` for components, in the two drafts that are in use, over the [`Values`] of their service.
//!
//! All of it is in memory and never waits, so the functions are bound as synchronous ones: a call costs no fiber switch.

mod draft;
mod draft2;

use std::sync::Arc;

use tare_host::values::Values;
use wasmtime::component::{HasData, Linker, ResourceTable};

/// What an instance reaches through `wasi:keyvalue`.
#[derive(Debug)]
pub struct KeyValueView<'a> {
    /// The values of the instance's service.
    pub values: &'a Arc<Values>,
    /// Holds the instance's handles.
    pub table: &'a mut ResourceTable,
}

/// A handle on a bucket. It carries nothing, since a service has only one.
#[derive(Debug)]
pub struct Bucket;

/// Marks the data of `wasi:keyvalue` in a store.
struct HasKeyValue;

impl HasData for HasKeyValue {
    type Data<'a> = KeyValueView<'a>;
}

/// Makes both drafts available to components.
///
/// # Errors
/// Another implementation was added before.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> KeyValueView<'_>,
) -> wasmtime::Result<()> {
    draft::add_to_linker(linker, view)?;
    draft2::add_to_linker(linker, view)
}
