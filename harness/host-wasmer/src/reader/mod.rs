//! Taking components apart: from the bytes of a component to its core modules and a [`Plan`] of how they come together.
//!
//! A component, as toolchains make it, is core modules with wiring between them: imports lowered to core functions,
//! exports lifted from them, and often two small modules that break a circle. (A lowered import needs the memory of the
//! module that imports it, which is there only after the import was needed: so the module is given trampolines that call
//! through a table, and another module fills the table afterwards.) What these two do is worked out here, so that neither
//! is instantiated: Wasmer 7 does not see what a module writes into a table of another one.
//!
//! All is told from structure, nothing from names. What is not understood is refused, with what it is.

mod module;
mod resolve;
mod structure;

use anyhow::Context;
use wasmparser::{Validator, WasmFeatures};

use crate::plan::Plan;

/// A component, taken apart.
#[derive(Debug)]
pub struct Apart<'a> {
    /// The core modules that are instantiated.
    pub modules: Vec<&'a [u8]>,
    /// How they come together.
    pub plan: Plan,
}

/// A component of a shape that this host does not support.
#[derive(Debug, thiserror::Error)]
#[error("it has {0}, which the Wasmer host does not support; tare-host-wasmtime may serve it")]
pub struct Unsupported(pub String);

/// Takes a component apart.
///
/// # Errors
/// It is no valid component, or of a shape that is not supported.
pub fn read(bytes: &[u8]) -> anyhow::Result<Apart<'_>> {
    Validator::new_with_features(WasmFeatures::default()).validate_all(bytes).context("it is no valid component")?;
    let component = structure::Component::parse(bytes)?;
    resolve::resolve(&component)
}

fn unsupported<T>(what: impl Into<String>) -> anyhow::Result<T> {
    Err(Unsupported(what.into()).into())
}
