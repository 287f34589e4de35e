//! The commands that contributors and continuous integration share, as `cargo xtask COMMAND`.
//!
//! Which packages a command is about is read from the workspace, so that a new crate or service needs no change here.

mod archive;
mod check;
mod command;
mod deny;
mod dist;
mod elf;
mod faults;
mod fuzz;
mod installed;
mod outcome;
mod seeds;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Checks, tests and packs this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check the formatting, and lint for the host and for the Wasm targets
    Check,
    /// Run the tests that need no Wasm runtime, container engine, browser or build of the products
    TestFast,
    /// Run all tests; they build the hosts and the services, and use the container engine and a browser where there are any
    TestAll(test::Args),
    /// Run fuzz targets, each for some seconds
    Fuzz(fuzz::Args),
    /// Run the built program under faults, each of which must cost no more than it should
    Faults(faults::Args),
    /// Check the licences, versions and sources of all dependencies
    Deny,
    /// Build everything and make the archive that runs on a machine without Rust
    Dist(dist::Args),
    /// Unpack such an archive, and run a short comparison from it without Rust and outside of the checkout
    TestDist(installed::Args),
}

fn main() -> ExitCode {
    let task = Cli::parse().task;
    let done = Workspace::read().and_then(|workspace| match task {
        Task::Check => check::run(&workspace),
        Task::TestFast => test::fast(&workspace),
        Task::TestAll(args) => test::all(&args),
        Task::Fuzz(args) => fuzz::run(&workspace, &args),
        Task::Faults(args) => faults::run(&workspace, &args),
        Task::Deny => deny::run(&workspace),
        Task::Dist(args) => dist::run(&workspace, &args),
        Task::TestDist(args) => installed::run(&workspace, &args),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            command::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
