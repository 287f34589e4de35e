//! Getting a component from a file.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, bail};
use wasmtime::Engine;
use wasmtime::component::Component;

/// What a file is, told from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A component as a compiler for Wasm made it.
    Component,
    /// A core module.
    Module,
    /// An object file, which a component compiled ahead is.
    Object,
    Other,
}

impl Kind {
    fn of(start: &[u8]) -> Self {
        match start {
            // The version is 1 for modules; components have a version and a layer of their own.
            [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Self::Module,
            [0, b'a', b's', b'm', _, _, 1, 0, ..] => Self::Component,
            [0x7f, b'E', b'L', b'F', ..] => Self::Object,
            _ => Self::Other,
        }
    }

    fn of_file(path: &Path) -> anyhow::Result<Self> {
        let mut start = [0; 8];
        match fs_err::File::open(path)?.read_exact(&mut start) {
            Ok(()) => Ok(Self::of(&start)),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(Self::Other),
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
            Self::Object => "a component that is compiled already",
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

/// Loads a component that was compiled ahead or, in a host with the compiler, compiles one.
///
/// A component compiled ahead is native code that this process will run: load only files that you trust as you trust a
/// program.
///
/// # Errors
/// The file cannot be read, is not a component, or was compiled for other settings, another version or another
/// processor; the error names it and the remedy.
pub fn open(engine: &Engine, path: &Path) -> anyhow::Result<(Component, Origin)> {
    match Kind::of_file(path)? {
        Kind::Object => Ok((load(engine, path)?, Origin::Loaded)),
        Kind::Component => Ok((compile(engine, path)?, Origin::Compiled)),
        kind @ (Kind::Module | Kind::Other) => bail!("{} is {kind}", path.display()),
    }
}

#[expect(unsafe_code, reason = "code compiled ahead is mapped and run as it is; the wasmtime API for it is unsafe")]
fn load(engine: &Engine, path: &Path) -> anyhow::Result<Component> {
    // SAFETY: wasmtime checks the file's kind, version, settings and target. That it was made by wasmtime's compiler and
    // stays as it is while the process runs is what `open` asks of its caller.
    unsafe { Component::deserialize_file(engine, path) }.map_err(anyhow::Error::from).with_context(|| {
        format!(
            "{} is not compiled for this host; compile it again with `tare-host-wasmtime-jit compile` of the same version",
            path.display()
        )
    })
}

#[cfg(not(feature = "compiler"))]
fn compile(_: &Engine, path: &Path) -> anyhow::Result<Component> {
    bail!(
        "{} is not compiled, and this host has no compiler; compile it with `tare-host-wasmtime-jit compile {0} OUT.cwasm` \
         and serve that, or serve it with tare-host-wasmtime-jit",
        path.display()
    )
}

#[cfg(feature = "compiler")]
fn compile(engine: &Engine, path: &Path) -> anyhow::Result<Component> {
    Component::from_file(engine, path)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("{} does not compile", path.display()))
}

/// Compiles a component ahead, into a file.
///
/// # Errors
/// The component cannot be read or does not compile, or the file cannot be written.
#[cfg(feature = "compiler")]
pub fn compile_to_file(engine: &Engine, component: &Path, out: &Path) -> anyhow::Result<()> {
    let kind = Kind::of_file(component)?;
    if kind != Kind::Component {
        bail!("{} is {kind}", component.display());
    }
    let bytes = fs_err::read(component)?;
    let compiled = engine
        .precompile_component(&bytes)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("{} does not compile", component.display()))?;
    Ok(fs_err::write(out, compiled)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_the_first_bytes() {
        assert_eq!(Kind::of(b"\0asm\x0d\0\x01\0"), Kind::Component);
        assert_eq!(Kind::of(b"\0asm\x01\0\0\0"), Kind::Module);
        assert_eq!(Kind::of(b"\x7fELF\x02\x01\x01\0"), Kind::Object);
        assert_eq!(Kind::of(b"#!/bin/s"), Kind::Other);
    }
}
