//! Reading files that are damaged: the program says what it makes of them, ends, and writes nowhere else.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use fastrand::Rng;
use fs_err as fs;

use super::fault::{Compare, Fault, Folder, Victim};
use super::inject;
use super::mutate::Damage;
use super::observe::{changes, improper, tree};
use super::row::Row;
use super::scene::Scene;
use super::trial::MOST_MEMORY;

/// How often a file is damaged, each time in another way.
const TIMES: u64 = 8;

/// The longest that a reading takes.
const READ_WITHIN: Duration = Duration::from_secs(20);

/// A manifest with most of what one can have.
const SERVICE: &str = r#"summary = "a service of somebody"
p99_objective_ms = 12.5
env = { LOG = "warn" }
[implementation.given]
port = 8080
env = { MODE = "fast" }
component = { file = "../../component.wasm" }
program = { command = ["/bin/true", "--port", "{port}"] }
image = { reference = "shop/cart:dev", args = "--port {port}" }
needs = { user = "root", writable = ["/tmp"], capabilities = ["CHOWN"], outgoing = ["127.0.0.1:9"] }
limits = { memory_mib = 64, pids = 32, start_s = 5.0 }
[[step]]
name = "health"
method = "GET"
path = "/healthz"
expect = { status = 200, headers = { content-type = "application/json" }, json = { status = "ok", count = 3 } }
weight = 3
probe = true
[[step]]
name = "create"
method = "POST"
path = "/carts"
json = { owner = "ann-${unique}" }
expect = { status = 201 }
capture = { cart = "/id" }
weight = 1
"#;

/// A file and how it is read: the arguments, and the right exit statuses.
struct Reading {
    file: PathBuf,
    sound: Vec<u8>,
    commands: Vec<(Vec<String>, &'static [i32])>,
}

/// Whatever is in it, a verdict.
const ANY: &[i32] = &[0, 1, 2];

/// It can be read, or not.
const READ: &[i32] = &[0, 2];

/// One bad service keeps nobody from the others.
const ALWAYS: &[i32] = &[0];

/// Damages a file in several ways, and has it read each time.
///
/// # Errors
/// An error if that cannot be done; a wrong reading is none.
pub fn all(
    scene: &Scene<'_>,
    fault: &Fault,
    (victim, damage): (Victim, Damage),
    seed: u64,
    row: &mut Row,
) -> Result<()> {
    let reading = reading(scene, victim)?;
    // There is one way only to repeat everything.
    let times = if damage == Damage::Repeated { 1 } else { TIMES };
    for time in 0..times {
        let bytes = damage.done(&reading.sound, &mut Rng::with_seed(seed.wrapping_mul(TIMES).wrapping_add(time)));
        fs::write(&reading.file, &bytes)?;
        let wrong = row.wrongs.len();
        for (args, exits) in &reading.commands {
            let exits: Vec<i32> = exits.iter().copied().filter(|exit| fault.exits.contains(exit)).collect();
            one(scene, args, (&exits, fault.says), row)
                .with_context(|| format!("reading it for the {}. time", time + 1))?;
        }
        if row.wrongs.len() > wrong {
            let name = reading.file.file_name().unwrap_or_default().to_string_lossy();
            row.files.push((format!("{}-{name}", time + 1), bytes));
        }
    }
    Ok(())
}

/// One reading.
fn one(scene: &Scene<'_>, args: &[String], (exits, says): (&[i32], &[&str]), row: &mut Row) -> Result<()> {
    let own = [Folder::Reports, Folder::Temporary, Folder::Work].map(|it| scene.folder(it));
    let own = [&own[..], &[scene.output(), scene.errors(), scene.marks()]].concat();
    // A comparison makes a run, and nothing else.
    let own =
        if args.iter().any(|arg| arg == "compare") { [own, vec![scene.folder(Folder::Results)]].concat() } else { own };
    let before = tree(&scene.root, &own)?;
    let command = scene.tare(args)?;
    row.command(&command);
    let ending = inject::run(scene, command, &[], None)?;
    let told = row.keep(scene, "")?;
    row.code = Some(ending.code).max(row.code);
    row.peak_bytes = ending.peak_bytes.max(row.peak_bytes);
    let what = args.first().map_or("", String::as_str);
    if ending.overdue || ending.took > READ_WITHIN {
        row.wrong(format!("`{what}` took {:.1} s", ending.took.as_secs_f64()));
    } else if !exits.contains(&ending.code) {
        row.wrong(format!("the exit status of `{what}` is {}, not {exits:?}", ending.code));
    }
    if ending.code != 0 && told.trim().is_empty() {
        row.wrong(format!("`{what}` ends with {} and says nothing", ending.code));
    }
    for word in says.iter().filter(|word| !told.contains(**word)) {
        row.wrong(format!("`{what}` ends with {} and does not say `{word}`", ending.code));
    }
    for wrong in improper(&told) {
        row.wrong(format!("`{what}`: {wrong}"));
    }
    if ending.peak_bytes > MOST_MEMORY {
        row.wrong(format!("`{what}` took {} MiB of memory", ending.peak_bytes >> 20));
    }
    for path in changes(&before, &tree(&scene.root, &own)?) {
        row.wrong(format!("`{what}` wrote {path}"));
    }
    Ok(())
}

fn reading(scene: &Scene<'_>, victim: Victim) -> Result<Reading> {
    let report = || -> Result<(PathBuf, Vec<String>)> {
        let run = scene.sound_run()?;
        let folders = scene.folders(&scene.folder(Folder::Reports)).map(|it| it.to_string_lossy().into_owned());
        let args = ["report".to_owned(), run.clone()].into_iter().chain(folders).collect();
        Ok((scene.folder(Folder::Results).join(run), args))
    };
    let of_run = |name: &str| -> Result<Reading> {
        let (folder, args) = report()?;
        let file = folder.join(name);
        Ok(Reading { sound: fs::read(&file)?, file, commands: vec![(args, READ)] })
    };
    match victim {
        Victim::Record => of_run("run.json"),
        Victim::Samples => of_run("samples.csv"),
        Victim::Latencies => of_run("latencies.hlog"),
        Victim::Claims => {
            let file = scene.checkout().join("claims.toml");
            Ok(Reading { sound: fs::read(&file)?, file, commands: vec![(report()?.1, READ)] })
        }
        Victim::Service | Victim::Scenario => toml(scene, victim),
        Victim::Component => {
            let file = scene.root.join("deep/component.wasm");
            let args = ["doctor".to_owned(), "--component".to_owned(), file.display().to_string()];
            Ok(Reading { file, sound: scene.stage.component.clone(), commands: vec![(args.into(), READ)] })
        }
    }
}

/// A service of the checkout with a damaged file.
fn toml(scene: &Scene<'_>, victim: Victim) -> Result<Reading> {
    let folder = scene.checkout().join("services/damaged");
    fs::create_dir_all(&folder)?;
    let path = folder.display().to_string();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let list = (words(&["list"]), ALWAYS);
    if victim == Victim::Service {
        let commands = vec![list, (words(&["doctor", "--service", &path]), READ)];
        return Ok(Reading { file: folder.join("service.toml"), sound: SERVICE.into(), commands });
    }
    let manifest = scene.manifest("damaged", &Compare::QUICK);
    let manifest = manifest.split("[[step]]").next().unwrap_or_default();
    // The steps stand in the other file, and so does the summary.
    let without = |line: &&str| !line.starts_with("summary");
    fs::write(folder.join("service.toml"), manifest.lines().filter(without).collect::<Vec<_>>().join("\n"))?;
    let platform = ["--platform", "native/process"];
    let compare =
        [&["compare", "--service", &path, "--suite", "quick", "--only", "size", "--rounds", "1"], &platform[..]];
    let mut compare = words(&compare.concat());
    compare.extend(scene.folders(&scene.folder(Folder::Reports)).map(|it| it.to_string_lossy().into_owned()));
    let commands = vec![list, (compare, ANY)];
    Ok(Reading { file: folder.join("scenario.toml"), sound: scene.stage.scenario.clone(), commands })
}
