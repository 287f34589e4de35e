//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Run a program in a container without a daemon, until it ends.
///
/// As given; [`Settings`](crate::settings::Settings) are checked.
#[derive(Parser)]
#[command(name = "tare-oci", long_about = None)]
pub(crate) struct Args {
    /// The directory that is the root file system, read-only in the container.
    #[arg(long, value_name = "DIR")]
    pub(crate) rootfs: PathBuf,
    /// A directory for what the runtime keeps while the container runs.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// Where the container's cgroup is made in each hierarchy, as a path from its top.
    #[arg(long, value_name = "PATH")]
    pub(crate) cgroup: PathBuf,
    /// A name that no other container has, which the program sees as its host's.
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
