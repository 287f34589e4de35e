//! A small server process that runs `wasi:http` components on wasmer, and nothing else.
//!
//! Wasmer runs core modules and knows no components. So this host takes a component apart (into a [`plan`]), has
//! wasmer run its core modules, and is itself the other side of their imports, by the canonical ABI ([`abi`], [`wasi`]):
//! the very bytes that run on Wasmtime run here.
//!
//! Two binaries are made of it: `tare-host-wasmer` without compilers, which serves what was compiled ahead, and
//! `tare-host-wasmer-jit` with Cranelift and Singlepass, which compiles at the start or ahead.
//!
//! Each request gets an instance of its own unless `--reuse` says otherwise, and a thread of its own. An instance that
//! traps, loops or wants too much memory costs its own request and no other. No component sees a file or a socket, nor a
//! variable or a setting that was not granted.

pub mod abi;
mod call;
pub mod component;
pub mod direct;
pub mod engine;
pub mod instance;
pub mod pipe;
pub mod plan;
#[cfg(feature = "reader")]
pub mod reader;
pub mod reply;
pub mod service;
pub mod settings;
pub mod state;
pub mod wasi;
pub mod watchdog;
mod workers;

/// What both binaries do. Exits with 2 when the host cannot do what it was asked to.
pub fn main() -> std::process::ExitCode {
    tare_host::main::<service::Host>()
}
