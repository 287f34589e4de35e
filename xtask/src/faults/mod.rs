//! Faults: does the program keep its promises when something goes wrong? Each is injected into a real run of the built program,
//! which is known by its command line, its output, its files and signals only.

mod engine;
mod fault;
mod guard;
mod inject;
mod mutate;
mod observe;
mod read;
mod row;
mod scene;
mod table;
mod trial;

use std::fs::File;
use std::path::{Path, PathBuf, absolute};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use nix::unistd::Uid;

use self::engine::{Daemon, Engine};
use self::fault::{Compare, Fault, Folder, Given};
use self::guard::Guard;
use self::row::Row;
use self::scene::{IMAGE, Scene, Stage};
use self::table::{PARTS, faults, part};
use crate::command::{cargo, say, skip, step};
use crate::workspace::Workspace;

/// The package of the program.
const PROGRAM: &str = "tare";

/// The package of what is measured.
const HOSTILE: &str = "tare-hostile";

/// Removes a folder with what is mounted below it.
const REMOVE: &str = r#"
tries=0
while [ -e "$1" ] && [ $tries -lt 100 ]; do
    grep -o " $1/[^ ]*" /proc/mounts | xargs -r -n 1 umount --lazy
    rm -rf --one-file-system "$1" 2>/dev/null || sleep 0.2
    tries=$((tries + 1))
done"#;

/// How long others may use the engine before what harms it is left out.
const OTHERS: Duration = Duration::from_mins(2);

/// Arguments of `cargo xtask faults`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only a part of them, such as 1/4: each has some of each kind
    #[arg(long, value_name = "N/4")]
    quarter: Option<Quarter>,
    /// Only these
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "quarter")]
    only: Vec<String>,
    /// The seed of the damage to files
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A program that was built before, instead of building it
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Tell what there is, and do nothing
    #[arg(long)]
    list: bool,
}

/// A part of the faults.
#[derive(Debug, Clone, Copy)]
struct Quarter(usize);

impl FromStr for Quarter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix(&format!("/{PARTS}")).and_then(|number| number.parse().ok());
        number
            .filter(|number| (1..=PARTS).contains(number))
            .map(Self)
            .ok_or(format!("it is 1/{PARTS} to {PARTS}/{PARTS}"))
    }
}

/// Injects the chosen faults, one after another.
///
/// # Errors
/// An error if what comes out of one is wrong, or if one cannot be injected.
pub fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let chosen = choose(args)?;
    if args.list {
        for fault in chosen {
            say(&format!("{:<36} {:<8} {fault}", fault.name, format!("{:?}", fault.kind)));
        }
        return Ok(());
    }
    let _alone = alone(&workspace.target_directory.join("faults.lock"))?;
    let folder = tempfile::Builder::new().prefix("faults-").tempdir()?;
    // Also where this process is ended by force; the program may still write for some seconds then.
    let _gone = Guard::new(REMOVE, [folder.path()])?;
    let mut stage = stage(workspace, args, folder.path())?;
    stage.sound = Some(sound(&stage)?);
    let engine = Engine::find();
    let held = hold_all(&chosen, &stage, args.seed, engine.as_ref(), &workspace.target_directory.join("faults"));
    if let Ok(engine) = &engine {
        // Where no fault has built one, there is none.
        let _ = engine.remove_image(IMAGE);
    }
    held
}

/// Waits until nobody else injects faults: what one breaks, the other would take for the doing of the program.
fn alone(lock: &Path) -> Result<File> {
    let file = fs::File::create(lock)?.into_parts().0;
    if file.try_lock().is_err() {
        say("another process injects faults from this checkout: waiting for it to end");
        file.lock().with_context(|| lock.display().to_string())?;
    }
    Ok(file)
}

fn choose(args: &Args) -> Result<Vec<&'static Fault>> {
    if let Some(name) = args.only.iter().find(|name| !faults().any(|fault| fault.name == **name)) {
        bail!("there is no fault `{name}`: --list tells what there is");
    }
    let is_chosen = |fault: &&Fault| args.only.is_empty() || args.only.iter().any(|name| name == fault.name);
    Ok(match args.quarter {
        Some(Quarter(number)) => part(number).collect(),
        None => faults().filter(is_chosen).collect(),
    })
}

/// Builds what is needed.
fn stage(workspace: &Workspace, args: &Args, folder: &Path) -> Result<Stage> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    // Statically, so that it runs in an empty image as well.
    step("building what is measured", cargo(["build", "--release", "-p", HOSTILE, "--target", &target]))?;
    let tare = match &args.program {
        Some(program) => absolute(program)?,
        None => {
            step("building the program", cargo(["build", "--release", "-p", PROGRAM]))?;
            workspace.target_directory.join("release").join(PROGRAM)
        }
    };
    ensure!(tare.is_file(), "there is no program {}", tare.display());
    // Copies, which nobody replaces meanwhile.
    let copy = |from: &Path, name: &str| -> Result<PathBuf> {
        fs::copy(from, folder.join(name))?;
        Ok(folder.join(name))
    };
    let root = &workspace.root;
    let component = fs::read(root.join("fuzz/seeds/component/trampolines.wat"))?;
    Ok(Stage {
        tare: copy(&tare, PROGRAM)?,
        hostile: copy(&workspace.target_directory.join(target).join("release/hostile"), scene::HOSTILE)?,
        claims: root.join("claims.toml"),
        scenario: fs::read(root.join("services/orders/scenario.toml"))?,
        component: wat::parse_bytes(&component)?.into_owned(),
        sound: None,
        folder: folder.into(),
    })
}

/// Measures without any fault: what the others are told from, and files to damage.
fn sound(stage: &Stage) -> Result<PathBuf> {
    let scene = Scene::new(stage, "sound", Given::Usual)?;
    let compare = Compare { only: "size,startup,memory,load", rounds: 2, ..Compare::QUICK };
    let mut command = scene.tare(scene.compare(&compare)?)?;
    command.args(scene.folders(&scene.folder(Folder::Reports)));
    let ending = inject::run(&scene, command, &[], None)?;
    let said = fs::read_to_string(scene.errors())?;
    ensure!(ending.code == 0, "without any fault the program ends with {}: {said}", ending.code);
    observe::run(&scene).context("without any fault there is no run")
}

fn hold_all(
    chosen: &[&'static Fault],
    stage: &Stage,
    seed: u64,
    engine: Result<&Engine, &anyhow::Error>,
    evidence: &Path,
) -> Result<()> {
    let begun = Instant::now();
    let (mut wrong, mut skipped) = (Vec::new(), 0);
    say(&Row::head());
    for fault in chosen {
        if let Some(why) = cannot(fault, engine) {
            match skip(fault.name, &why, "run it where that is not so") {
                Ok(()) => skipped += 1,
                Err(error) => {
                    say(&format!("WRONG    {error:#}"));
                    wrong.push(fault.name);
                }
            }
            continue;
        }
        match trial::hold(stage, fault, seed, engine.ok()) {
            Ok(row) => {
                say(&row.to_string());
                if row.is_right() {
                    continue;
                }
                row.write(evidence)?;
                let see = evidence.join(fault.name);
                say(&format!(
                    "         - again: cargo xtask faults --seed {seed} --only {}; see {}",
                    fault.name,
                    see.display()
                ));
            }
            Err(error) => {
                say(&format!("WRONG    {}: it cannot be injected: {error:#}", fault.name));
                // Without it nothing of what follows would mean anything.
                engine.map_or(Ok(()), Engine::wait)?;
            }
        }
        wrong.push(fault.name);
    }
    let (all, seconds) = (chosen.len(), begun.elapsed().as_secs());
    say(&format!("{all} faults in {seconds} s: {} wrong, {skipped} skipped", wrong.len()));
    ensure!(wrong.is_empty(), "wrong: {}", wrong.join(", "));
    Ok(())
}

/// Why a fault cannot be injected here.
fn cannot(fault: &Fault, engine: Result<&Engine, &anyhow::Error>) -> Option<String> {
    if fault.needs_root() && !Uid::effective().is_root() {
        return Some("this process is not root".into());
    }
    let engine = match engine {
        Err(error) if fault.needs_engine() => return Some(format!("{error:#}")),
        engine => engine.ok().filter(|_| fault.harms_engine())?,
    };
    if let Err(error) = Daemon::find() {
        return Some(format!("{error:#}"));
    }
    let begun = Instant::now();
    // What others measure must not be disturbed; it ends.
    while !engine.running().is_ok_and(|others| others.is_empty()) {
        if begun.elapsed() > OTHERS {
            return Some("others run containers on this engine".into());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    None
}
