//! Getting a component from a file.

use std::path::Path;

use anyhow::{Context, bail};
#[cfg(feature = "compiler")]
use tare_host::cli;
use tare_host::file::{Kind, Origin};
use wasmtime::Engine;
use wasmtime::component::Component;

#[cfg(feature = "compiler")]
use crate::engine;
use crate::settings::Compile;

/// Loads a component that was compiled ahead or, in a host with the compiler, compiles one.
///
/// # Errors
/// The file cannot be read, is not a component, or was compiled for other settings, another version or another
/// processor; the error names it and the remedy.
///
/// # Safety
/// A component compiled ahead is native code that this process runs as it is. It must come from this project's own compiler,
/// and nobody may change the file while the process runs: trust it as you trust a program.
#[expect(unsafe_code, reason = "whoever names the file vouches for it")]
pub unsafe fn open(engine: &Engine, path: &Path) -> anyhow::Result<(Component, Origin)> {
    match Kind::of_file(path)? {
        // An object file, which a component compiled ahead is.
        (Kind::Other, start) if start.starts_with(b"\x7fELF") => {
            // SAFETY: the caller vouches for the file.
            Ok((unsafe { load(engine, path) }?, Origin::Loaded))
        }
        (Kind::Component, _) => Ok((compile(engine, path)?, Origin::Compiled)),
        (kind, _) => bail!("{} is {kind}", path.display()),
    }
}

/// # Safety
/// See [`open`].
#[expect(unsafe_code, reason = "code compiled ahead is mapped and run as it is")]
unsafe fn load(engine: &Engine, path: &Path) -> anyhow::Result<Component> {
    // SAFETY: wasmtime checks the file's kind, version, settings and target. That its compiler made it, and that it stays as
    // it is, is what the caller vouches for.
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
pub fn compile_to_file(args: &Compile) -> anyhow::Result<()> {
    let cli::Compile { component, out } = &args.what;
    let engine = engine::for_compiling(args.code)?;
    let (kind, _) = Kind::of_file(component)?;
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

/// Refuses: this host has no compiler.
///
/// # Errors
/// Always.
#[cfg(not(feature = "compiler"))]
pub fn compile_to_file(_: &Compile) -> anyhow::Result<()> {
    bail!("this host has no compiler; compile with tare-host-wasmtime-jit")
}
