//! A container without a daemon: an OCI runtime in one process, which stays the only parent of what it starts.
//!
//! It is what a container costs when the kernel's isolation is all there is: namespaces, a seccomp filter, a cgroup, no
//! capabilities. An engine adds images, layers, networks and a daemon to that.

mod cgroup;
mod cli;
mod events;
mod program;
mod run;
mod seccomp;
mod settings;
mod signals;
mod spec;
mod state;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use cli::Args;

/// The exit code of the runtime's own failures, as of Docker's client. What the program exits with is passed on.
const FAILED: u8 = 125;

fn main() -> ExitCode {
    let began = events::now_ns();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(usage) => {
            let _ = usage.print();
            return if usage.use_stderr() { FAILED.into() } else { ExitCode::SUCCESS };
        }
    };
    events::phase("spawn", began);
    run::execute(&args).unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "error: {}", one_line(&error));
        FAILED.into()
    })
}

/// An error with its causes. Some of them say what the one before has said.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(|cause| cause.to_string().replace('\n', " ")) {
        if !line.ends_with(&cause) {
            let separator = if line.is_empty() { "" } else { ": " };
            line = format!("{line}{separator}{cause}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    #[test]
    fn errors_take_one_line_and_say_nothing_twice() {
        let error = anyhow!("no such\nthing").context("it failed: no such thing").context("the container is lost");
        assert_eq!(super::one_line(&error), "the container is lost: it failed: no such thing");
    }
}
