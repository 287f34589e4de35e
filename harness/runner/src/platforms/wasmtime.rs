//! The service as a component on the project's Wasmtime host.

use async_trait::async_trait;
use tare_model::Side;

use super::wasm::{DIRECT, FRESH, REUSED, Setting, WasmVariant};
use super::{Entry, Platform, Variant};
use crate::artifacts::{Code, Guest, Runtime};

const NAME: &str = "wasmtime";

/// The platform.
pub struct Wasmtime;

const COW: &[Setting] = &[("copy-on-write", "on")];
const NO_COW: &[Setting] = &[("copy-on-write", "off")];
const ON_DEMAND: &[Setting] = &[("allocator", "on-demand")];
const POOLED: &[Setting] = &[("allocator", "pooling"), ("keep-resident", "65536"), ("pagemap-scan", "auto")];
/// The stock server takes the pooling allocator where there is address space for it, as here, and leaves the rest at
/// Wasmtime's defaults.
const STOCK: &[Setting] = &[("allocator", "pooling"), ("keep-resident", "0"), ("pagemap-scan", "off")];
const OPTIMISED: &[Setting] = &[("opt-level", "speed")];
const UNOPTIMISED: &[Setting] = &[("opt-level", "none")];

const fn entry(name: &'static str, summary: &'static str) -> Entry {
    Entry::new(NAME, name, summary)
}

const fn variant(entry: Entry, settings: &'static [&'static [Setting]]) -> WasmVariant {
    WasmVariant {
        entry,
        runtime: Runtime::Wasmtime,
        guest: Guest::Component,
        code: Some(Code::Usual),
        settings,
        has_quotas: true,
    }
}

/// The variant that a container holds, too.
pub(super) const AOT: WasmVariant = variant(
    entry("aot", "compiled ahead, host without a compiler, a fresh pooled instance for each request").differs(
        "docker",
        "scratch-glibc",
        "Wasm against a container, both for speed",
    ),
    &[FRESH, COW, POOLED],
);

const JIT: WasmVariant = WasmVariant {
    code: None,
    ..variant(
        entry("jit", "as aot, but compiled at start, nothing cached").default_of_its_side().differs(
            NAME,
            "aot",
            "compiled at start instead of ahead",
        ),
        &[FRESH, COW, OPTIMISED, POOLED],
    )
};

const REUSE: WasmVariant = variant(
    entry("reuse", "as aot, but an instance serves up to 128 requests").differs(
        NAME,
        "aot",
        "an instance serves up to 128 requests",
    ),
    &[REUSED, COW, POOLED],
);

const STOCK_SETTINGS: WasmVariant =
    variant(
        entry("stock", "as aot, but with the instance settings that `wasmtime serve` has by default")
            .setting()
            .differs(NAME, "aot", "nothing of an instance's slot is kept resident"),
        &[FRESH, COW, STOCK],
    );

const WITHOUT_POOL: WasmVariant =
    variant(
        entry("on-demand", "as aot, but without a pool: each instance's memory comes from the kernel")
            .setting()
            .differs(NAME, "aot", "no pool: memory from the kernel for each instance"),
        &[FRESH, COW, ON_DEMAND],
    );

const COPIED: WasmVariant = WasmVariant {
    code: Some(Code::Copied),
    ..variant(
        entry("no-cow", "as aot, but each instance copies the component's data instead of mapping it copy-on-write")
            .setting()
            .differs(NAME, "aot", "no copy-on-write: each instance copies its data"),
        &[FRESH, NO_COW, POOLED],
    )
};

const JIT_UNOPTIMISED: WasmVariant = WasmVariant {
    code: None,
    ..variant(
        entry("jit-unoptimised", "as jit, but the compiler does not optimise").setting().differs(
            NAME,
            "jit",
            "compiled without optimisation",
        ),
        &[FRESH, COW, UNOPTIMISED, POOLED],
    )
};

const WITHOUT_HTTP: WasmVariant = WasmVariant {
    guest: Guest::Direct,
    ..variant(
        entry("direct", "control: as aot, but the router behind one function of plain values, without wasi:http")
            .control(DIRECT),
        &[FRESH, COW, POOLED],
    )
};

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

    fn variants(&self) -> &'static [&'static dyn Variant] {
        &[&AOT, &JIT, &REUSE, &STOCK_SETTINGS, &WITHOUT_POOL, &COPIED, &JIT_UNOPTIMISED, &WITHOUT_HTTP]
    }
}
