//! How an instance ended.

use std::fmt;

/// How an instance ended, and what it said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Why it ended.
    pub cause: Cause,
    /// What the platform or the program itself had to say, if anything. No witness of the cause.
    pub words: String,
}

/// Why an instance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// By itself, with this exit code.
    Exited(i64),
    /// By this signal.
    Signalled(i64),
    /// By the kernel, for going over its memory limit.
    OutOfMemory,
    /// It was there already, and is gone.
    Gone,
}

/// The signal by which the kernel ends who takes too much memory.
const SIGKILL: i64 = 9;

/// What a shell, an engine or a starter adds to the number of the signal that ended a program.
const SIGNALLED: i64 = 128;

impl End {
    /// The end of a program whose status was read by a shell, an engine or a starter: from 129 on, by a signal.
    pub fn from_status(code: i64) -> Cause {
        if (SIGNALLED + 1..=SIGNALLED + 64).contains(&code) {
            Cause::Signalled(code - SIGNALLED)
        } else {
            Cause::Exited(code)
        }
    }

    /// Whether it was ended as a limit on memory ends it.
    pub fn was_killed(&self) -> bool {
        matches!(self.cause, Cause::OutOfMemory | Cause::Signalled(SIGKILL))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            Cause::Exited(code) => write!(f, "it ended with exit code {code}")?,
            Cause::Signalled(SIGKILL) => {
                f.write_str("it was killed, perhaps for going over its memory limit (signal 9)")?;
            }
            Cause::Signalled(signal) => write!(f, "it was ended by signal {signal}")?,
            Cause::OutOfMemory => f.write_str("it went over its memory limit and was killed")?,
            Cause::Gone => f.write_str("it is gone")?,
        }
        if self.words.is_empty() { Ok(()) } else { write!(f, ": {}", self.words) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_kill_is_the_doing_of_a_limit_on_memory_whatever_was_said_last() {
        let end = |cause| End { cause, words: "signal 9, exit code 137".into() };
        assert!(end(Cause::OutOfMemory).was_killed() && end(End::from_status(137)).was_killed());
        for cause in [End::from_status(134), End::from_status(0), Cause::Exited(255), Cause::Gone] {
            assert!(!end(cause).was_killed(), "{cause:?}");
        }
    }

    #[test]
    fn an_end_is_told_in_words() {
        let told = |cause, words: &str| End { cause, words: words.into() }.to_string();
        assert_eq!(told(End::from_status(1), ""), "it ended with exit code 1");
        assert_eq!(told(End::from_status(139), ""), "it was ended by signal 11");
        assert_eq!(told(End::from_status(127), "no such file"), "it ended with exit code 127: no such file");
        assert_eq!(told(Cause::OutOfMemory, ""), "it went over its memory limit and was killed");
    }
}
