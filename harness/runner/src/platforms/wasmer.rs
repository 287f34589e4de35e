//! The service as a component on the project's Wasmer host: the bytes that run on Wasmtime.

use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;

use super::wasm::{WasmTarget, common_settings};
use super::{Platform, Target, Variant, World};
use crate::build::{Product, Runtime};
use crate::layout::Service;
use crate::preflight::Finding;

const NAME: &str = "wasmer";

/// See the module.
pub struct Wasmer;

const AHEAD: &[Product] = &[Product::Component, Product::Ahead(Runtime::Wasmer), Product::Host(Runtime::Wasmer)];
const AT_START: &[Product] = &[Product::Component, Product::JitHost(Runtime::Wasmer)];

const VARIANTS: &[Variant] = &[
    Variant {
        name: "aot",
        summary: "compiled ahead by Cranelift, host without a compiler, a fresh instance for each request",
        products: AHEAD,
    },
    Variant { name: "cranelift", summary: "as aot, but compiled at start, nothing cached", products: AT_START },
    Variant {
        name: "singlepass",
        summary: "compiled at start by Singlepass, nothing cached; a component without SIMD, which Singlepass lacks",
        products: &[Product::PlainComponent, Product::JitHost(Runtime::Wasmer)],
    },
    Variant { name: "reuse", summary: "as aot, but an instance serves up to 128 requests", products: AHEAD },
];

#[async_trait(?Send)]
impl Platform for Wasmer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the same component on Wasmer, taken apart by the project's host, one host process per service"
    }

    fn variants(&self) -> &'static [Variant] {
        VARIANTS
    }

    async fn preflight(&self) -> Vec<Finding> {
        Vec::new()
    }

    async fn prepare(&self, world: &Rc<World>, service: &Service, variant: &Variant) -> Result<Box<dyn Target>> {
        let mut settings = common_settings(variant.name == "reuse");
        if let Some(compiler) = ["cranelift", "singlepass"].into_iter().find(|compiler| *compiler == variant.name) {
            settings.push(("compiler", compiler));
        }
        Ok(Box::new(WasmTarget::new(world, service, (NAME, Runtime::Wasmer), variant, settings)?))
    }
}
