//! The real things under test, built by cargo as they are built to be measured.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// As everything that is measured.
const PROFILE: &str = "service";

/// The host without the compiler, static, as it is put into an empty image.
pub(crate) static AOT: LazyLock<PathBuf> = LazyLock::new(|| {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let static_libc = format!("target.{target}.rustflags=['-Ctarget-feature=+crt-static']");
    build(&["-p", "tare-host-wasmtime", "--bin", "tare-host-wasmtime", "--target", &target, "--config", &static_libc])
});

/// The host with the compiler.
pub(crate) static JIT: LazyLock<PathBuf> =
    LazyLock::new(|| build(&["-p", "tare-host-wasmtime", "--features", "compiler", "--bin", "tare-host-wasmtime-jit"]));

/// The component that misbehaves.
pub(crate) static GUEST: LazyLock<PathBuf> =
    LazyLock::new(|| build(&["-p", "tare-host-guest", "--lib", "--target", "wasm32-wasip2"]));

/// The same compiled ahead.
pub(crate) static GUEST_AHEAD: LazyLock<PathBuf> = LazyLock::new(|| compile(&GUEST));

/// Compiles a component ahead, into cargo's own folder for the files of tests, where it may stay.
pub(crate) fn compile(component: &Path) -> PathBuf {
    let name = component.file_name().expect("a component is a file");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("cwasm");
    let made = Command::new(&*JIT).arg("compile").args([component, &out]).status().expect("the host starts");
    assert!(made.success(), "{made}");
    out
}

/// Builds one artifact and says where it is.
pub(crate) fn build(what: &[&str]) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--profile", PROFILE, "--message-format", "json-render-diagnostics"])
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
