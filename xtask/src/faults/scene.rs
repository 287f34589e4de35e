//! Where a fault takes place: a checkout with nothing in it but two services, folders for runs and reports, one for temporary
//! files. All of it lies deep in a folder of its own, so that what is written outside is found.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use fs_err::{self as fs, File};

use super::fault::{Compare, Folder, Given, On};
use super::guard::Guard;

/// The name of the hostile program, here and in images.
pub const HOSTILE: &str = "hostile";

/// The name of the service that it is.
pub const SERVICE: &str = "faulty";

/// The image that the program makes of it.
pub const IMAGE: &str = "tare/faulty-given:docker";

/// The most memory of a container, in MiB.
const MEMORY_MIB: u32 = 256;

/// What all scenes share.
#[derive(Debug)]
pub struct Stage {
    /// The program that is put to the test.
    pub tare: PathBuf,
    /// The hostile program.
    pub hostile: PathBuf,
    /// The claims that are judged.
    pub claims: PathBuf,
    /// A scenario with many kinds of steps.
    pub scenario: Vec<u8>,
    /// A component that is one.
    pub component: Vec<u8>,
    /// The folder of a sound run.
    pub sound: Option<PathBuf>,
    /// The folder of all scenes.
    pub folder: PathBuf,
}

/// The folders of a fault.
#[derive(Debug)]
pub struct Scene<'a> {
    /// What it shares with the others.
    pub stage: &'a Stage,
    /// Everything of it.
    pub root: PathBuf,
    base: PathBuf,
    room: Option<Guard>,
}

impl<'a> Scene<'a> {
    /// Makes them.
    ///
    /// # Errors
    /// An error if the disk refuses, or what is asked of it cannot be had.
    pub fn new(stage: &'a Stage, name: &str, given: Given) -> Result<Self> {
        let root = stage.folder.join(name);
        let base = root.join("deep/within");
        let mut scene = Self { stage, root, base, room: None };
        let checkout = scene.checkout();
        let folders = [Folder::Results, Folder::Reports, Folder::Temporary, Folder::Work].map(|it| scene.folder(it));
        let others = [checkout.join("harness/runner"), scene.service(), checkout.join("services/good"), scene.marks()];
        for folder in folders.iter().chain(&others) {
            fs::create_dir_all(folder)?;
        }
        // Whoever the hostile program is run as.
        fs::set_permissions(scene.marks(), PermissionsExt::from_mode(0o777))?;
        fs::copy(&stage.claims, checkout.join("claims.toml"))?;
        let good = Compare { behaviour: "good", ..Compare::QUICK };
        fs::write(checkout.join("services/good/service.toml"), scene.manifest("good", &good))?;
        match given {
            Given::Room(folder, kib) => scene.room = Some(mount(&scene.folder(folder), &format!("size={kib}k"))?),
            Given::ReadOnly(folder) => scene.room = Some(mount(&scene.folder(folder), "ro")?),
            _ => {}
        }
        Ok(scene)
    }

    /// Removes all of it, with what was mounted on it.
    ///
    /// # Errors
    /// An error if the disk refuses.
    pub fn remove(mut self) -> Result<()> {
        drop(self.room.take());
        Ok(fs::remove_dir_all(&self.root)?)
    }

    /// A folder by what is in it.
    pub fn folder(&self, folder: Folder) -> PathBuf {
        match folder {
            Folder::Results => self.base.join("results"),
            Folder::Reports => self.base.join("reports"),
            Folder::Temporary => self.base.join("tmp"),
            Folder::Work => self.checkout().join("target/tare"),
        }
    }

    /// The checkout.
    pub fn checkout(&self) -> PathBuf {
        self.base.join("checkout")
    }

    /// The folder of the hostile service.
    pub fn service(&self) -> PathBuf {
        self.base.join(SERVICE)
    }

    /// Where the hostile program may write.
    pub fn marks(&self) -> PathBuf {
        self.base.join("marks")
    }

    /// Where the hostile program says how far it is.
    pub fn mark_file(&self) -> PathBuf {
        self.marks().join("marks")
    }

    /// Where the standard output of the program goes.
    pub fn output(&self) -> PathBuf {
        self.root.join("stdout")
    }

    /// Where its standard error goes.
    pub fn errors(&self) -> PathBuf {
        self.root.join("stderr")
    }

    /// The program with these arguments; what it says goes to files.
    ///
    /// # Errors
    /// An error if the disk refuses.
    pub fn tare<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<Command> {
        self.started_by(Command::new(&self.stage.tare), args)
    }

    /// The same with so many open files, and no more.
    ///
    /// # Errors
    /// An error if the disk refuses.
    pub fn limited<S: AsRef<OsStr>>(&self, files: u32, args: impl IntoIterator<Item = S>) -> Result<Command> {
        let mut limits = Command::new("prlimit");
        limits.arg(format!("--nofile={files}")).arg(&self.stage.tare);
        self.started_by(limits, args)
    }

    fn started_by<S: AsRef<OsStr>>(&self, mut command: Command, args: impl IntoIterator<Item = S>) -> Result<Command> {
        command.args(args).current_dir(self.checkout()).env("TMPDIR", self.folder(Folder::Temporary));
        command.env_remove("TARE_OWNER").stdin(Stdio::null());
        command.stdout(File::create(self.output())?.into_parts().0);
        command.stderr(File::create(self.errors())?.into_parts().0);
        Ok(command)
    }

    /// The arguments by which the program uses these folders.
    pub fn folders(&self, reports: &Path) -> [OsString; 4] {
        let results = self.folder(Folder::Results);
        ["--results".into(), results.into(), "--reports".into(), reports.into()]
    }

    /// Writes the hostile service as it is to be compared, and gives the arguments for that.
    ///
    /// # Errors
    /// An error if the disk refuses.
    pub fn compare(&self, it: &Compare) -> Result<Vec<String>> {
        let service = self.service();
        fs::write(service.join("service.toml"), self.manifest(SERVICE, it))?;
        if !matches!(it.on, On::Program | On::BuildCommand) {
            fs::copy(&self.stage.hostile, service.join(HOSTILE))?;
            let step = format!("RUN [\"/{HOSTILE}\", \"0\", \"{}\"]\n", it.behaviour);
            let step = if it.on == On::BuildImage { step } else { String::new() };
            let text = format!("FROM scratch\nCOPY {HOSTILE} /{HOSTILE}\n{step}ENTRYPOINT [\"/{HOSTILE}\"]\n");
            fs::write(service.join("Dockerfile"), text)?;
        }
        let platform = if matches!(it.on, On::Program | On::BuildCommand) { "native/process" } else { "docker/image" };
        let service = service.display().to_string();
        let what = ["compare", "--service", &service, "--platform", platform, "--suite", it.suite, "--only", it.only];
        let how = ["--rounds".to_owned(), it.rounds.to_string(), "--seed".to_owned(), "1".to_owned()];
        Ok(what.map(str::to_owned).into_iter().chain(how).collect())
    }

    /// Makes room on a disk that had none.
    ///
    /// # Errors
    /// An error if it cannot.
    pub fn make_room(&self, given: Given) -> Result<()> {
        match given {
            Given::Room(folder, _) | Given::ReadOnly(folder) => {
                let mut mount = Command::new("mount");
                mount.args(["-o", "remount,rw,size=64m"]).arg(self.folder(folder));
                ensure!(mount.status()?.success(), "no room can be made in {}", self.folder(folder).display());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A service.toml.
    pub fn manifest(&self, name: &str, it: &Compare) -> String {
        let (hostile, marks) = (self.stage.hostile.display(), self.mark_file());
        let behaviour = it.behaviour;
        let what = match it.on {
            On::Program => format!("program = [\"{hostile}\", \"{{port}}\", \"{behaviour}\", \"{}\"]", marks.display()),
            On::BuildCommand => format!(
                "program = {{ command = [\"{hostile}\", \"{{port}}\", \"good\"], build = [\"{hostile}\", \"0\", \"{behaviour}\", \"{}\"] }}",
                marks.display()
            ),
            On::Image | On::BuildImage => {
                format!("image = {{ dockerfile = \"Dockerfile\", args = [\"{{port}}\", \"{behaviour}\"] }}")
            }
        };
        let limits = format!("limits = {{ start_s = {}, memory_mib = {MEMORY_MIB} }}", it.start_s);
        let step = "[[step]]\nname = \"root\"\nmethod = \"GET\"\npath = \"/\"\nexpect = { status = 200 }\nweight = 1\nprobe = true\n";
        format!(
            "name = \"{name}\"\nsummary = \"a service that does wrong\"\n[implementation.given]\n{what}\n{limits}\n{step}"
        )
    }
}

/// Mounts a file system of its own on a folder, until the guard is dropped.
fn mount(folder: &Path, options: &str) -> Result<Guard> {
    let guard = Guard::new("umount --lazy \"$1\"", [folder])?;
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", options, "faults"]).arg(folder);
    let status = mount.status().context("cannot start mount")?;
    ensure!(status.success(), "no file system can be mounted on {}", folder.display());
    Ok(guard)
}
