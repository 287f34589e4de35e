//! Builds and runs the fuzz targets, with the stable compiler.

use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;

use crate::command::{cargo, step};
use crate::seeds;
use crate::workspace::Workspace;

/// The package of the fuzz targets.
const PACKAGE: &str = "tare-fuzz";

/// Naming a target keeps the flags below away from build scripts and macros.
const HOST: &str = "x86_64-unknown-linux-gnu";

/// How libFuzzer sees which code an input reaches: the compiler's own pass for it, which needs no sanitizer. A sanitizer
/// would need the nightly compiler, and there is little unsafe code for it to watch.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// How long one input may take, in seconds, before it counts as a hang.
const TIMEOUT_S: u32 = 10;

/// How much memory a target may take, in MiB.
const MEMORY_MIB: u32 = 2048;

/// Arguments of `cargo xtask fuzz`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long each target runs, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// The seed of libFuzzer's random numbers; a new one for each run where none is given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    seed: Option<u32>,
    /// Only these targets
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// Fuzzes the chosen targets, as many at once as there are CPUs.
///
/// # Errors
/// An error if there is no such target, it cannot be built, or an input makes it fail.
pub fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let targets = choose(workspace, &args.targets)?;
    build(&targets)?;
    let at_once = available_parallelism().map_or(1, NonZero::get);
    for together in targets.chunks(at_once) {
        let done: Vec<Result<()>> = std::thread::scope(|scope| {
            let running: Vec<_> = together.iter().map(|target| scope.spawn(|| fuzz(workspace, args, target))).collect();
            running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("fuzzing broke off"))).collect()
        });
        done.into_iter().collect::<Result<()>>()?;
    }
    Ok(())
}

fn fuzz(workspace: &Workspace, args: &Args, target: &str) -> Result<()> {
    let folder = workspace.root.join("fuzz");
    let corpus = folder.join("corpus").join(target);
    seeds::copy(workspace, target, &corpus)?;
    // libFuzzer takes the name of this folder as the beginning of the names of its files.
    let artifacts = folder.join("artifacts").join(target);
    fs::create_dir_all(&artifacts)?;
    let program = workspace.target_directory.join(HOST).join("fuzz").join(target);
    let found = format!("{}/", artifacts.display());
    let fuzzing = step(&format!("fuzzing {target}"), libfuzzer(&program, args, &found, &corpus));
    fuzzing.with_context(|| {
        let input = artifacts.display();
        format!("an input in {input}; to try it again: {} {input}/FILE", program.display())
    })
}

/// The targets of the given names; all if there are none.
fn choose<'a>(workspace: &'a Workspace, names: &'a [String]) -> Result<Vec<&'a str>> {
    let bins = workspace.package(PACKAGE)?.targets.iter().filter(|target| target.kind.iter().any(|kind| kind == "bin"));
    let known: Vec<&str> = bins.map(|target| target.name.as_str()).collect();
    for name in names {
        ensure!(known.contains(&name.as_str()), "there is no fuzz target `{name}`; there are {}", known.join(", "));
    }
    Ok(if names.is_empty() { known } else { names.iter().map(String::as_str).collect() })
}

fn build(targets: &[&str]) -> Result<()> {
    let features = format!("libfuzzer,{}", targets.join(","));
    let mut command = cargo(["build", "-p", PACKAGE, "--profile", "fuzz", "--target", HOST]);
    command.args(["--no-default-features", "--features", &features]);
    command.env("RUSTFLAGS", FLAGS).env_remove("CARGO_ENCODED_RUSTFLAGS");
    for target in targets {
        command.args(["--bin", target]);
    }
    step("building fuzz targets", command)
}

fn libfuzzer(program: &Path, args: &Args, artifacts: &str, corpus: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .arg(format!("-max_total_time={}", args.seconds))
        .arg(format!("-timeout={TIMEOUT_S}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
        .arg(format!("-artifact_prefix={artifacts}"))
        .args(["-verbosity=0", "-print_funcs=0", "-print_final_stats=1"]);
    if let Some(seed) = args.seed {
        command.arg(format!("-seed={seed}"));
    }
    command.arg(corpus);
    command
}
