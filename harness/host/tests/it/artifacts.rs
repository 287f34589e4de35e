//! The real things under test, built by cargo as they are built to be measured.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// As everything that is measured. Hosts have it under names of their own.
const PROFILE: &str = "service";

/// A host under test.
pub(crate) struct Program {
    /// The host without a compiler, static, as it is put into an empty image.
    pub(crate) aot: LazyLock<PathBuf>,
    /// The host with its compiler.
    pub(crate) jit: LazyLock<PathBuf>,
    /// The component that misbehaves, compiled ahead.
    pub(crate) guest: LazyLock<PathBuf>,
    /// The name of the host with the compiler, as its messages have it.
    pub(crate) compiler: &'static str,
    /// Whether what breaks a rule of the canonical ABI is logged with the call: Wasmtime tells only what was broken.
    pub(crate) names_calls: bool,
    /// Settings under which everything must be the same.
    pub(crate) variants: &'static [&'static [&'static str]],
}

/// The host on Wasmtime.
pub(crate) static WASMTIME: Program = Program {
    aot: LazyLock::new(|| build_static("wasmtime", &[])),
    jit: LazyLock::new(|| build_static("wasmtime", COMPILER)),
    guest: LazyLock::new(|| compile(&WASMTIME, &GUEST)),
    compiler: "tare-host-wasmtime-jit",
    names_calls: false,
    variants: &[&[], &["--allocator", "on-demand"], &["--keep-resident", "0", "--pagemap-scan", "off"]],
};

/// The host on Wasmer.
pub(crate) static WASMER: Program = Program {
    aot: LazyLock::new(|| build_static("wasmer", &[])),
    // Not as it is measured where it is: as what compiles ahead, which takes half as long to build.
    jit: LazyLock::new(|| {
        let package = "tare-host-wasmer";
        build_as("compiler", &[&["-p", package, "--bin", &format!("{package}-jit")], COMPILER].concat())
    }),
    guest: LazyLock::new(|| compile(&WASMER, &GUEST)),
    compiler: "tare-host-wasmer-jit",
    names_calls: true,
    variants: &[&[]],
};

/// The component that misbehaves.
pub(crate) static GUEST: LazyLock<PathBuf> =
    LazyLock::new(|| build(&["-p", "tare-host-guest", "--lib", "--target", "wasm32-wasip2"]));

/// Wasmer's own runner for programs of WASI 0.1. Not as it is measured: that takes minutes to build, and tells no more.
pub(crate) static WASIX: LazyLock<PathBuf> =
    LazyLock::new(|| build_as("dev", &["-p", "tare-host-wasix", "--bin", "tare-host-wasix"]));

/// What makes a host one with its compilers.
const COMPILER: &[&str] = &["--features", "compiler"];

/// A host on a runtime, as it is measured.
fn build_static(runtime: &str, further: &[&str]) -> PathBuf {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let static_libc = format!("target.{target}.rustflags=['-Ctarget-feature=+crt-static']");
    let package = format!("tare-host-{runtime}");
    let bin = if further == COMPILER { format!("{package}-jit") } else { package.clone() };
    let what = ["-p", &package, "--bin", &bin, "--target", &target, "--config", &static_libc];
    build_as(&format!("{PROFILE}-{runtime}"), &[&what, further].concat())
}

/// Compiles a component ahead, into cargo's own folder for the files of tests, where it may stay.
pub(crate) fn compile(program: &Program, component: &Path) -> PathBuf {
    // The same name stands for different things under different targets and profiles.
    let parts: Vec<_> = component.components().rev().take(3).map(|part| part.as_os_str().to_string_lossy()).collect();
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{}.ahead", parts.join("-"), program.compiler));
    let made = Command::new(&*program.jit).arg("compile").args([component, &out]).status().expect("the host starts");
    assert!(made.success(), "{made}");
    out
}

/// Builds one artifact and says where it is.
pub(crate) fn build(what: &[&str]) -> PathBuf {
    build_as(PROFILE, what)
}

/// The same with another profile, where the same target is built in another form.
pub(crate) fn build_as(profile: &str, what: &[&str]) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--profile", profile, "--message-format", "json-render-diagnostics"])
        .args(what)
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "cargo build {what:?} failed");
    String::from_utf8(output.stdout)
        .expect("cargo writes UTF-8")
        .lines()
        .filter_map(|line| artifact(&serde_json::from_str(line).expect("cargo writes JSON")))
        .next_back()
        .expect("cargo names what it built")
}

/// The program or component that a message of cargo tells of. What is asked for is built last.
fn artifact(message: &serde_json::Value) -> Option<PathBuf> {
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    let mut files = message["filenames"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
    let component = files.rfind(|file| Path::new(file).extension().is_some_and(|extension| extension == "wasm"));
    message["executable"].as_str().or(component).map(PathBuf::from)
}
