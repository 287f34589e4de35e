//! The command line: `compare`, `build`, `doctor`, `init`, `list`, `report`, `agree`, `clean`.
//!
//! This crate alone prints, and alone writes under results/.

mod args;
mod commands;
mod exit;
mod latencies;
mod machine;
mod present;
mod progress;
mod reports;
mod results;
mod screen;
mod services;
mod signals;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // One thread: children are started from it and must not outlive their run because a helper thread ended.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Into::into).and_then(|runtime| {
        let done = runtime.block_on(async {
            match cli.command {
                Command::Compare(args) => commands::compare::execute(args).await,
                Command::Build(args) => commands::build::execute(args).await,
                Command::Doctor(args) => commands::doctor::execute(&args).await,
                Command::Init(args) => commands::init::execute(&args),
                Command::List(args) => commands::list::execute(&args),
                Command::Report(args) => commands::report::execute(&args),
                Command::Agree(args) => commands::agree::execute(&args),
                Command::Clean(args) => commands::clean::execute(&args).await,
                Command::Pack(args) => commands::pack::execute(&args).await,
            }
        });
        // What still waits on a thread of its own, for an answer that nobody wants any more, must not keep the end waiting.
        runtime.shutdown_background();
        done
    });
    done.unwrap_or_else(|error: anyhow::Error| {
        screen::say(&format!("error: {error:#}"));
        Exit::Usage
    })
    .into()
}
