//! The service as a component on the project's Wasmer host: the bytes that run on Wasmtime.

use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;

use super::wasm::{DIRECT, WasmTarget, common_settings};
use super::{Beside, Isolation, Platform, Role, Side, Target, Variant, World};
use crate::build::{Code, Guest, Product, Runtime};
use crate::layout::Service;
use crate::preflight::Finding;

const NAME: &str = "wasmer";

/// See the module.
pub struct Wasmer;

const AHEAD: &[Product] = &[
    Product::Guest(Guest::Component),
    Product::Ahead(Guest::Component, Runtime::Wasmer, Code::Usual),
    Product::Host(Runtime::Wasmer),
];

const CGI: &str = "cgi";

const VARIANTS: &[Variant] = &[
    Variant {
        name: "aot",
        summary: "compiled ahead by Cranelift, host without a compiler, a fresh instance for each request",
        products: AHEAD,
        role: Role::Headline,
        beside: Some(Beside { setting: "wasmtime/aot", what: "the other runtime" }),
    },
    Variant {
        name: "cranelift",
        summary: "as aot, but compiled at start, nothing cached",
        products: &[Product::Guest(Guest::Component), Product::JitHost(Runtime::Wasmer)],
        role: Role::Setting,
        beside: Some(Beside { setting: "wasmer/aot", what: "compiled at start instead of ahead" }),
    },
    Variant {
        name: "singlepass",
        summary: "compiled at start by Singlepass, nothing cached; a component without SIMD, which Singlepass lacks",
        products: &[Product::Guest(Guest::Plain), Product::JitHost(Runtime::Wasmer)],
        role: Role::Setting,
        beside: Some(Beside { setting: "wasmer/cranelift", what: "a compiler of one pass, without SIMD" }),
    },
    Variant {
        name: "reuse",
        summary: "as aot, but an instance serves up to 128 requests",
        products: AHEAD,
        role: Role::Setting,
        beside: Some(Beside { setting: "wasmer/aot", what: "an instance serves up to 128 requests" }),
    },
    Variant {
        name: "direct",
        summary: "control: as aot, but the router behind one function of plain values, without wasi:http",
        products: &[
            Product::Guest(Guest::Direct),
            Product::Ahead(Guest::Direct, Runtime::Wasmer, Code::Usual),
            Product::Host(Runtime::Wasmer),
        ],
        role: Role::Control(DIRECT),
        beside: None,
    },
    Variant {
        name: CGI,
        summary: "control: the router as a WASI 0.1 program, a process for each request, by Wasmer's own WasiRunner",
        products: &[
            Product::Guest(Guest::Program),
            Product::Ahead(Guest::Program, Runtime::Wasix, Code::Usual),
            Product::Host(Runtime::Wasix),
        ],
        role: Role::Control(
            "Wasmer's own way to run a program: shows that the project's adapter for components does not make Wasmer \
             slow. It does not compare runtimes: each request is a whole process with a file system, its state is in \
             files, and a service runs one at a time",
        ),
        beside: None,
    },
];

#[async_trait(?Send)]
impl Platform for Wasmer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the same component on Wasmer, taken apart by the project's host, one host process per service"
    }

    fn side(&self) -> Option<Side> {
        Some(Side::Wasm)
    }

    fn variants(&self) -> &'static [Variant] {
        VARIANTS
    }

    fn isolation(&self, _: &Variant) -> Isolation {
        Isolation::COMPONENT
    }

    async fn preflight(&self) -> Vec<Finding> {
        Vec::new()
    }

    async fn prepare(&self, world: &Rc<World>, service: &Service, variant: &Variant) -> Result<Box<dyn Target>> {
        if variant.name == CGI {
            // There is nothing else to set: the runner has no limits.
            let settings = vec![("deadline", "10s")];
            return Ok(Box::new(WasmTarget::new(world, service, (NAME, Runtime::Wasix), variant, settings)?));
        }
        let mut settings = common_settings(variant.name == "reuse");
        if let Some(compiler) = ["cranelift", "singlepass"].into_iter().find(|compiler| *compiler == variant.name) {
            settings.push(("compiler", compiler));
        }
        Ok(Box::new(WasmTarget::new(world, service, (NAME, Runtime::Wasmer), variant, settings)?))
    }
}
