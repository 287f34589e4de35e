//! A small server process that runs `wasi:http` components on wasmtime, and nothing else.
//!
//! Two binaries are made of it: `tare-host-wasmtime` without the compiler, which serves what was compiled ahead and is
//! what clusters would ship, and `tare-host-wasmtime-jit` with it, which compiles at the start or ahead.
//!
//! Each request gets an instance of its own unless `--reuse` says otherwise. An instance that traps, loops or wants too
//! much memory costs its own request and no other. No component sees a file, a socket or a variable that was not granted.

pub mod answer;
pub mod component;
pub mod engine;
pub mod exchange;
pub mod imports;
pub mod keyvalue;
pub mod log;
pub mod outgoing;
pub mod service;
pub mod settings;
pub mod sockets;
pub mod state;
pub mod world;

/// What both binaries do. Exits with 2 when the host cannot do what it was asked to.
pub fn main() -> std::process::ExitCode {
    tare_host::main::<service::Host>()
}
