//! Getting a component from a file.

use std::path::Path;

#[cfg(feature = "compiler")]
use anyhow::anyhow;
use anyhow::bail;
use tare_host::file::{Kind, Origin};
#[cfg(feature = "compiler")]
use tare_host::{cli, refusal};
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
    unsafe { Component::deserialize_file(engine, path) }.map_err(|error| {
        let other =
            "is not compiled for this host; compile it again with `tare-host-wasmtime-jit compile` of the same version";
        anyhow::Error::from(error).told(path, other)
    })
}

/// Telling why a component was not loaded.
trait Told {
    /// Names the file and the remedy: of the limit if it needs more than it may have, else this one.
    fn told(self, path: &Path, otherwise: &str) -> Self;
}

impl Told for anyhow::Error {
    fn told(self, path: &Path, otherwise: &str) -> Self {
        // Wasmtime has no types for these; the pool refuses what could never be instantiated in it.
        let cause = format!("{self:#}");
        let what = if !cause.contains("exceeds the limit of") {
            otherwise
        } else if cause.contains("table") {
            "needs larger tables than it may have; raise --table-elements"
        } else {
            "needs more memory at its start than it may have; raise --memory-limit"
        };
        self.context(format!("{} {what}", path.display()))
    }
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
    let bytes = fs_err::read(path)?;
    Component::new(engine, &bytes).map_err(|error| does_not_compile(error, path, &bytes))
}

/// Says why a component does not compile.
#[cfg(feature = "compiler")]
fn does_not_compile(error: wasmtime::Error, path: &Path, bytes: &[u8]) -> anyhow::Error {
    if refusal::is_wasi_0_3(bytes) {
        return anyhow!("{} cannot be served: {}", path.display(), refusal::wasi_0_3());
    }
    anyhow::Error::from(error).told(path, "does not compile")
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
    let compiled = engine.precompile_component(&bytes).map_err(|error| does_not_compile(error, component, &bytes))?;
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
