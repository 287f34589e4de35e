//! Getting a component from a file: compiled ahead or, in a host with compilers, compiled now.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use tare_host::file::{Kind, Origin};
#[cfg(feature = "compiler")]
use tare_host::refusal;
use wasmer::{Engine, Module};

use crate::plan::Plan;

/// What a file compiled ahead begins with. What it holds is tied to the version of Wasmer and to this program's.
const MAGIC: &[u8] = concat!("tare wasmer 7.3.0 ", env!("CARGO_PKG_VERSION"), "\n").as_bytes();

/// A component that is ready to be linked.
#[derive(Debug)]
pub struct Component {
    /// Its modules.
    pub modules: Vec<Module>,
    /// How they come together.
    pub plan: Plan,
}

/// Loads a component that was compiled ahead or, in a host with compilers, compiles one.
///
/// # Errors
/// The file cannot be read, is not a component, has a shape that this host does not support, or was compiled for another
/// version or another processor; the error names it and the remedy.
///
/// # Safety
/// A component compiled ahead is native code that this process runs as it is. It must come from this project's own compiler,
/// and nobody may change the file while the process runs: trust it as you trust a program.
#[expect(unsafe_code, reason = "whoever names the file vouches for it")]
pub unsafe fn open(engine: &Engine, path: &Path) -> anyhow::Result<(Component, Origin)> {
    match Kind::of_file(path)? {
        (Kind::Other, start) if !start.is_empty() && MAGIC.starts_with(&start) => {
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
    // SAFETY: the caller vouches for the file.
    let unpacked = unsafe { mapped(path).and_then(|bytes| unpack(engine, &bytes)) };
    unpacked.with_context(|| {
        format!(
            "{} is not compiled for this host; compile it again with `tare-host-wasmer-jit compile` of the same version",
            path.display()
        )
    })
}

/// A file's bytes where the kernel has them: reading two megabytes into memory of one's own takes longer than all else.
///
/// # Safety
/// The file must stay as it is while the process runs.
#[expect(unsafe_code, reason = "a mapped file could change under the eyes of whoever reads it")]
unsafe fn mapped(path: &Path) -> anyhow::Result<Bytes> {
    let file = fs_err::File::open(path)?;
    // SAFETY: the caller vouches that the file stays as it is.
    let map =
        unsafe { memmap2::Mmap::map(file.file()) }.with_context(|| format!("{} cannot be mapped", path.display()))?;
    Ok(Bytes::from_owner(map))
}

/// Takes a file apart: what it is, then the plan and each module, each behind its length.
///
/// # Safety
/// See [`open`].
#[expect(unsafe_code, reason = "code compiled ahead is run as it is")]
unsafe fn unpack(engine: &Engine, bytes: &Bytes) -> anyhow::Result<Component> {
    ensure!(bytes.starts_with(MAGIC), "it is of another version");
    let mut at = MAGIC.len();
    let plan = serde_json::from_slice(&part(bytes, &mut at)?).context("its plan is broken")?;
    let mut modules = Vec::new();
    while at < bytes.len() {
        // SAFETY: wasmer checks the artifact's version and processor. That its compiler made it is what the caller vouches for.
        modules.push(unsafe { Module::deserialize(engine, part(bytes, &mut at)?) }?);
    }
    Ok(Component { modules, plan })
}

/// Where a part of the file begins behind its length: Wasmer uses an artifact in place, which wants it aligned.
const ALIGN: usize = 64;

/// The part whose length stands at `at`, which is moved behind it.
fn part(bytes: &Bytes, at: &mut usize) -> anyhow::Result<Bytes> {
    let length = bytes.get(*at..).and_then(|rest| rest.first_chunk()).context("it is cut")?;
    let length = usize::try_from(u64::from_le_bytes(*length))?;
    let begin = (*at + size_of::<u64>()).next_multiple_of(ALIGN);
    let end = begin.checked_add(length).filter(|end| *end <= bytes.len()).context("it is cut")?;
    *at = end;
    Ok(bytes.slice(begin..end))
}

#[cfg(not(feature = "compiler"))]
fn compile(_: &Engine, path: &Path) -> anyhow::Result<Component> {
    bail!(
        "{} is not compiled, and this host has no compiler; compile it with `tare-host-wasmer-jit compile {0} OUT` and \
         serve that, or serve it with tare-host-wasmer-jit",
        path.display()
    )
}

#[cfg(feature = "compiler")]
fn compile(engine: &Engine, path: &Path) -> anyhow::Result<Component> {
    let bytes = fs_err::read(path)?;
    let compiled = from_bytes(engine, &bytes);
    if compiled.is_err() && refusal::is_wasi_0_3(&bytes) {
        bail!("{} cannot be served: {}", path.display(), refusal::wasi_0_3());
    }
    compiled.with_context(|| format!("{} does not compile", path.display()))
}

/// Takes a component apart and compiles its modules.
///
/// # Errors
/// It is no valid component, has a shape that this host does not support, or does not compile.
#[cfg(feature = "compiler")]
pub fn from_bytes(engine: &Engine, bytes: &[u8]) -> anyhow::Result<Component> {
    let apart = crate::reader::read(bytes)?;
    let compiled = apart.modules.iter().map(|module| Module::new(engine, module));
    let modules = compiled.collect::<Result<_, _>>()?;
    Ok(Component { modules, plan: apart.plan })
}

/// Compiles a component ahead, into a file. A core module is compiled too, into what Wasmer keeps of one: that is what the
/// host for programs of WASI 0.1 loads.
///
/// # Errors
/// The file cannot be read or does not compile, or the other one cannot be written.
#[cfg(feature = "compiler")]
pub fn compile_to_file(args: &crate::settings::Compile) -> anyhow::Result<()> {
    let path = &args.what.component;
    let (kind, _) = Kind::of_file(path)?;
    ensure!(kind != Kind::Other, "{} is {kind}", path.display());
    let engine = crate::engine::compiling(args.compiler);
    if kind == Kind::Module {
        let module =
            Module::from_file(&engine, path).with_context(|| format!("{} does not compile", path.display()))?;
        return Ok(fs_err::write(&args.what.out, module.serialize()?)?);
    }
    let component = compile(&engine, path)?;
    let mut out = MAGIC.to_vec();
    let mut put = |part: &[u8]| {
        out.extend((part.len() as u64).to_le_bytes());
        out.resize(out.len().next_multiple_of(ALIGN), 0);
        out.extend(part);
    };
    put(&serde_json::to_vec(&component.plan)?);
    for module in &component.modules {
        put(&module.serialize()?);
    }
    Ok(fs_err::write(&args.what.out, out)?)
}

/// Refuses: this host has no compiler.
///
/// # Errors
/// Always.
#[cfg(not(feature = "compiler"))]
pub fn compile_to_file(_: &crate::settings::Compile) -> anyhow::Result<()> {
    bail!("this host has no compiler; compile with tare-host-wasmer-jit")
}
