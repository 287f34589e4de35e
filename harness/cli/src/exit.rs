//! How the process ends.

use std::process::ExitCode;

/// The meaning of the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done.
    Done,
    /// Something could not be measured, or isolation did not hold.
    CellFailed,
    /// The arguments or the machine did not allow it, or nothing could be told.
    Usage,
    /// The user ended it.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::CellFailed => Self::from(1),
            Exit::Usage => Self::from(2),
            // 128 and the number of SIGINT, as shells have it.
            Exit::Interrupted => Self::from(130),
        }
    }
}
