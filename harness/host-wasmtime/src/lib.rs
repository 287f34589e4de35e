//! A small server process that runs `wasi:http` components on wasmtime, and nothing else.
//!
//! Two binaries are made of it: `tare-host-wasmtime` without the compiler, which serves what was compiled ahead and is
//! what clusters would ship, and `tare-host-wasmtime-jit` with it, which compiles at the start or ahead.
//!
//! Each request gets an instance of its own unless `--reuse` says otherwise. An instance that traps, loops or wants too
//! much memory costs its own request and no other. No component sees a file, a socket or a variable that was not granted.

pub mod answer;
pub mod cli;
pub mod component;
pub mod engine;
pub mod events;
pub mod exchange;
pub mod keyvalue;
pub mod log;
pub mod run;
pub mod server;
pub mod service;
pub mod settings;
pub mod state;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

/// What both binaries do. Exits with 2 when the host cannot do what it was asked to.
pub fn main() -> ExitCode {
    let started_ns = events::now_ns();
    let result = match Cli::parse().command {
        Command::Serve(args) => {
            events::phase_at("main", started_ns);
            run::serve(args)
        }
        #[cfg(feature = "compiler")]
        Command::Compile { component, out } => {
            engine::for_compiling().and_then(|engine| component::compile_to_file(&engine, &component, &out))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::line("", &format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}
