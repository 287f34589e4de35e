//! The service as a component on the project's Wasmtime host.

use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;

use super::wasm::{DIRECT, Settings, WasmTarget, common_settings};
use super::{Beside, Isolation, Platform, Role, Side, Target, Variant, World};
use crate::build::{Code, Guest, Product, Runtime};
use crate::layout::Service;
use crate::preflight::Finding;

const NAME: &str = "wasmtime";

/// See the module.
pub struct Wasmtime;

const AHEAD: &[Product] = &[
    Product::Guest(Guest::Component),
    Product::Ahead(Guest::Component, Runtime::Wasmtime, Code::Usual),
    Product::Host(Runtime::Wasmtime),
];

/// The variant that a container holds, too.
pub(super) const AOT: &str = "aot";

const VARIANTS: &[Variant] = &[
    Variant {
        name: AOT,
        summary: "compiled ahead, host without a compiler, a fresh pooled instance for each request",
        products: AHEAD,
        role: Role::Headline,
        beside: None,
    },
    Variant {
        name: "jit",
        summary: "as aot, but compiled at start, nothing cached",
        products: &[Product::Guest(Guest::Component), Product::JitHost(Runtime::Wasmtime)],
        role: Role::Headline,
        beside: Some(Beside { setting: "wasmtime/aot", what: "compiled at start instead of ahead" }),
    },
    Variant {
        name: "reuse",
        summary: "as aot, but an instance serves up to 128 requests",
        products: AHEAD,
        role: Role::Headline,
        beside: Some(Beside { setting: "wasmtime/aot", what: "an instance serves up to 128 requests" }),
    },
    Variant {
        name: "stock",
        summary: "as aot, but with the instance settings that `wasmtime serve` has by default",
        products: AHEAD,
        role: Role::Setting,
        beside: Some(Beside { setting: "wasmtime/aot", what: "nothing of an instance's slot is kept resident" }),
    },
    Variant {
        name: "on-demand",
        summary: "as aot, but without a pool: each instance's memory comes from the kernel",
        products: AHEAD,
        role: Role::Setting,
        beside: Some(Beside { setting: "wasmtime/aot", what: "no pool: memory from the kernel for each instance" }),
    },
    Variant {
        name: "no-cow",
        summary: "as aot, but each instance copies the component's data instead of mapping it copy-on-write",
        products: &[
            Product::Guest(Guest::Component),
            Product::Ahead(Guest::Component, Runtime::Wasmtime, Code::Copied),
            Product::Host(Runtime::Wasmtime),
        ],
        role: Role::Setting,
        beside: Some(Beside { setting: "wasmtime/aot", what: "no copy-on-write: each instance copies its data" }),
    },
    Variant {
        name: "jit-unoptimised",
        summary: "as jit, but the compiler does not optimise",
        products: &[Product::Guest(Guest::Component), Product::JitHost(Runtime::Wasmtime)],
        role: Role::Setting,
        beside: Some(Beside { setting: "wasmtime/jit", what: "compiled without optimisation" }),
    },
    Variant {
        name: "direct",
        summary: "control: as aot, but the router behind one function of plain values, without wasi:http",
        products: &[
            Product::Guest(Guest::Direct),
            Product::Ahead(Guest::Direct, Runtime::Wasmtime, Code::Usual),
            Product::Host(Runtime::Wasmtime),
        ],
        role: Role::Control(DIRECT),
        beside: None,
    },
];

/// The settings of a variant.
pub(super) fn settings(variant: &str) -> Settings {
    // The stock server takes the pooling allocator where there is address space for it, as here, and leaves the rest at
    // Wasmtime's defaults.
    let (keep_resident, pagemap_scan) = if variant == "stock" { ("0", "off") } else { ("65536", "auto") };
    let mut settings = common_settings(variant == "reuse");
    settings.push(("copy-on-write", if variant == "no-cow" { "off" } else { "on" }));
    match variant {
        "jit" => settings.push(("opt-level", "speed")),
        "jit-unoptimised" => settings.push(("opt-level", "none")),
        _ => {}
    }
    if variant == "on-demand" {
        settings.push(("allocator", "on-demand"));
    } else {
        settings.extend([("allocator", "pooling"), ("keep-resident", keep_resident), ("pagemap-scan", pagemap_scan)]);
    }
    settings
}

#[async_trait(?Send)]
impl Platform for Wasmtime {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the component on Wasmtime, one host process per service"
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
        let settings = settings(variant.name);
        Ok(Box::new(WasmTarget::new(world, service, (NAME, Runtime::Wasmtime), variant, settings)?))
    }
}
