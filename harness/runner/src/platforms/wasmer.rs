//! The service as a component on the project's Wasmer host: the bytes that run on Wasmtime.

use async_trait::async_trait;
use tare_model::Side;

use super::wasm::{DIRECT, FRESH, REUSED, Setting, WasmVariant};
use super::{Entry, Platform, Variant};
use crate::artifacts::{Code, Guest, Runtime};

const NAME: &str = "wasmer";

/// The platform.
pub struct Wasmer;

const CRANELIFT: &[Setting] = &[("compiler", "cranelift")];
const SINGLEPASS: &[Setting] = &[("compiler", "singlepass")];

const fn entry(name: &'static str, summary: &'static str) -> Entry {
    Entry::new(NAME, name, summary)
}

const fn variant(entry: Entry, settings: &'static [&'static [Setting]]) -> WasmVariant {
    WasmVariant {
        entry,
        runtime: Runtime::Wasmer,
        guest: Guest::Component,
        code: Some(Code::Usual),
        settings,
        has_quotas: true,
    }
}

const AOT: WasmVariant =
    variant(
        entry("aot", "compiled ahead by Cranelift, host without a compiler, a fresh instance for each request")
            .differs("wasmtime", "aot", "the other runtime"),
        &[FRESH],
    );

const AT_START: WasmVariant = WasmVariant {
    code: None,
    ..variant(
        entry("cranelift", "as aot, but compiled at start, nothing cached").setting().differs(
            NAME,
            "aot",
            "compiled at start instead of ahead",
        ),
        &[FRESH, CRANELIFT],
    )
};

const ONE_PASS: WasmVariant = WasmVariant {
    guest: Guest::Plain,
    code: None,
    ..variant(
        entry(
            "singlepass",
            "compiled at start by Singlepass, nothing cached; a component without SIMD, which Singlepass lacks",
        )
        .setting()
        .differs(NAME, "cranelift", "a compiler of one pass, without SIMD"),
        &[FRESH, SINGLEPASS],
    )
};

const REUSE: WasmVariant = variant(
    entry("reuse", "as aot, but an instance serves up to 128 requests").setting().differs(
        NAME,
        "aot",
        "an instance serves up to 128 requests",
    ),
    &[REUSED],
);

const WITHOUT_HTTP: WasmVariant = WasmVariant {
    guest: Guest::Direct,
    ..variant(
        entry("direct", "control: as aot, but the router behind one function of plain values, without wasi:http")
            .control(DIRECT),
        &[FRESH],
    )
};

const CGI: WasmVariant = WasmVariant {
    runtime: Runtime::Wasix,
    guest: Guest::Program,
    // There is nothing else to set: the runner has no limits.
    has_quotas: false,
    ..variant(
        entry(
            "cgi",
            "control: the router as a WASI 0.1 program, a process for each request, by Wasmer's own WasiRunner",
        )
        .control(
            "Wasmer's own way to run a program: shows that the project's adapter for components does not make Wasmer \
             slow. It does not compare runtimes: each request is a whole process with a file system, its state is in \
             files, and a service runs one at a time",
        ),
        &[],
    )
};

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

    fn variants(&self) -> &'static [&'static dyn Variant] {
        &[&AOT, &AT_START, &ONE_PASS, &REUSE, &WITHOUT_HTTP, &CGI]
    }
}
