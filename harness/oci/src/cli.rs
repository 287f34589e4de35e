//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// A container without a daemon.
#[derive(Parser)]
#[command(name = "tare-oci")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a program in a container, until it ends.
    Run(RunArgs),
    /// Say whether containers can be started here as this user, as one line of JSON.
    Check,
    /// Remove what runs left that were killed.
    Clean(CleanArgs),
}

/// As given; [`Settings`](crate::settings::Settings) are checked.
#[derive(clap::Args)]
pub(crate) struct RunArgs {
    /// The directory that is the root file system, read-only in the container.
    #[arg(long, value_name = "DIR")]
    pub(crate) rootfs: PathBuf,
    /// A directory for what the runtime keeps while the container runs.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// A name that no other running container has.
    #[arg(long)]
    pub(crate) id: String,
    /// A variable of the program's environment, which has no others.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// The CPUs that it may use, such as `0-1,3`.
    #[arg(long, value_name = "LIST")]
    pub(crate) cpus: Option<String>,
    /// The most memory that it may use, in bytes; it gets no swap.
    #[arg(long, value_name = "BYTES")]
    pub(crate) memory: Option<i64>,
    /// The most processes and threads that it may have.
    #[arg(long, value_name = "N")]
    pub(crate) pids: Option<u32>,
    /// The program, as a path in the root file system, and its arguments.
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub(crate) program: Vec<String>,
}

#[derive(clap::Args)]
pub(crate) struct CleanArgs {
    /// The directory that the runs were given.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
