//! What the Wasm hosts share: the command line, the life of the process, HTTP, limits, log and state.
//!
//! A host is this and one [`Backend`]: a runtime, and how it runs a component on a request. So all runtimes are measured
//! behind the same [`front`], and what a host does for its components is written once. Nothing in here knows a runtime.

pub mod admission;
pub mod answer;
pub mod arrival;
pub mod backend;
pub mod body;
pub mod cgi;
pub mod cli;
pub mod direct;
pub mod events;
pub mod failure;
pub mod file;
pub mod front;
pub mod grants;
pub mod log;
pub mod pool;
pub mod refusal;
pub mod run;
pub mod server;
pub mod settings;
pub mod values;
pub mod whom;

pub use backend::{Backend, Service};

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

/// What the binary of a host does. Exits with 2 when the host cannot do what it was asked to.
pub fn main<B: Backend>() -> ExitCode {
    let started_ns = events::now_ns();
    let result = match Cli::<B::Settings, B::Compile>::parse().command {
        Command::Serve(args) => {
            events::phase_at("main", started_ns);
            run::serve::<B>(args)
        }
        Command::Compile(args) => B::compile(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::line("", &format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}
