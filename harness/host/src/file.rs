//! What a file is that a host is told to serve.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// What a file is, told from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A component as a compiler for Wasm made it.
    Component,
    /// A core module.
    Module,
    /// Something else: what was compiled ahead, or no WebAssembly at all.
    Other,
}

impl Kind {
    /// Tells from the first bytes.
    pub fn of(start: &[u8]) -> Self {
        match start {
            // The version is 1 for modules; components have a version and a layer of their own.
            [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Self::Module,
            [0, b'a', b's', b'm', _, _, 1, 0, ..] => Self::Component,
            _ => Self::Other,
        }
    }

    /// Tells from a file, and returns the bytes that it begins with: at most eight.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_file(path: &Path) -> anyhow::Result<(Self, Vec<u8>)> {
        let mut start = Vec::new();
        let file = fs_err::File::open(path)?;
        match file.take(8).read_to_end(&mut start) {
            Ok(_) => Ok((Self::of(&start), start)),
            Err(error) if error.kind() == ErrorKind::IsADirectory => anyhow::bail!("{} is a folder", path.display()),
            Err(error) => Err(error.into()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Component => "a component",
            Self::Module => {
                "a core module, not a component; build it for wasm32-wasip2, or make a component of it with \
                 `wasm-tools component new`"
            }
            Self::Other => "no WebAssembly; is it the right file?",
        })
    }
}

/// How a component came into the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was compiled ahead.
    Loaded,
    /// It was compiled just now.
    Compiled,
}

impl Origin {
    /// The phase of the start that ended with it.
    pub fn phase(self) -> &'static str {
        match self {
            Self::Loaded => "load",
            Self::Compiled => "compile",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_the_first_bytes() {
        assert_eq!(Kind::of(b"\0asm\x0d\0\x01\0"), Kind::Component);
        assert_eq!(Kind::of(b"\0asm\x01\0\0\0"), Kind::Module);
        assert_eq!(Kind::of(b"\x7fELF\x02\x01\x01\0"), Kind::Other);
        assert_eq!(Kind::of(b"#!/bin/s"), Kind::Other);
        assert_eq!(Kind::of(b""), Kind::Other);
    }
}
