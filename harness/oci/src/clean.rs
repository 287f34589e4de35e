//! Removing what runs left that were killed.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::CleanArgs;
use crate::{cgroup, state};

/// The kernel ends the program with its runtime; its cgroup and the folder of the run stay.
pub(crate) fn execute(args: &CleanArgs) -> Result<ExitCode> {
    state::remove_dead(&args.state)?;
    cgroup::remove_empty();
    Ok(ExitCode::SUCCESS)
}
