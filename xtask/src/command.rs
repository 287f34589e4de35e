//! Commands that are run, and what is printed about them.

use std::env;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

/// Prints a line on standard error, where cargo prints too.
#[expect(clippy::print_stderr, reason = "the commands of this crate report on the terminal")]
pub fn say(line: &str) {
    eprintln!("{line}");
}

/// Whether nothing may be skipped: in continuous integration, which sets `CI`.
pub fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty())
}

/// Reports on the terminal that a check is left out, and why.
///
/// # Errors
/// An error if `CI` is set: a check that did not run must not look like one that passed.
pub fn skip(what: &str, why: &str, remedy: &str) -> Result<()> {
    ensure!(!in_ci(), "{what}: {why}, and in CI nothing is skipped; {remedy}");
    say(&format!("\n*** SKIPPED: {what}: {why}; {remedy}\n"));
    Ok(())
}

/// The cargo that runs this program.
pub fn cargo<S: AsRef<str>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for arg in args {
        command.arg(arg.as_ref());
    }
    command
}

/// Runs a command as a named step, with its output on the terminal, and prints how many seconds it took.
///
/// # Errors
/// An error if it cannot be started or does not succeed.
pub fn step(name: &str, mut command: Command) -> Result<()> {
    say(&format!("\n-- {name}"));
    let begun = Instant::now();
    let status =
        command.status().with_context(|| format!("{name}: cannot start {}", command.get_program().display()))?;
    ensure!(status.success(), "{name}: {status} of `{}`", line(&command));
    say(&format!("-- {name}: {} s", begun.elapsed().as_secs()));
    Ok(())
}

/// A command as one would type it, but for quoting.
fn line(command: &Command) -> String {
    let args = command.get_args().map(|arg| format!(" {}", arg.display()));
    format!("{}{}", command.get_program().display(), args.collect::<String>())
}
