//! What the tests share: a root file system with one program in it, and the runtime to run it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fs_err as fs;
use nix::unistd::{AccessFlags, Uid, access};

pub(crate) struct Scene {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) id: String,
}

/// A test's surroundings, or nothing where containers cannot be started.
pub(crate) fn scene(name: &str) -> Option<Scene> {
    let is_writable = |dir: &str| access(dir, AccessFlags::W_OK).is_ok();
    if !Uid::effective().is_root() || !["/sys/fs/cgroup/memory", "/sys/fs/cgroup"].into_iter().any(is_writable) {
        skip();
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene { dir, id: format!("test-{name}-{}", std::process::id()) };
    fs::create_dir(scene.rootfs()).unwrap();
    fs::copy(program(), scene.rootfs().join("program")).unwrap();
    Some(scene)
}

#[expect(clippy::print_stderr, reason = "a test that did not run must not look like one that passed")]
fn skip() {
    let needed = "the tests of containers need root, and cgroups that it may write to";
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{needed}");
    eprintln!("\n*** SKIPPED: {needed}\n");
}

impl Scene {
    pub(crate) fn rootfs(&self) -> PathBuf {
        self.dir.path().join("rootfs")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn cgroup(&self) -> String {
        format!("tare-{}", self.id)
    }

    /// The runtime with options, such as limits, and what the program does.
    pub(crate) fn command(&self, options: &[&str], words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tare-oci"));
        command.arg("--rootfs").arg(self.rootfs()).arg("--state").arg(self.state());
        command.args(["--cgroup", &self.cgroup(), "--id", &self.id]).args(options).args(["--", "/program"]).args(words);
        command
    }

    pub(crate) fn run(&self, options: &[&str], words: &[&str]) -> Output {
        self.command(options, words).output().unwrap()
    }

    /// What the program wrote, without the runtime's two lines.
    #[track_caller]
    pub(crate) fn words_of(&self, options: &[&str], words: &[&str]) -> String {
        let output = self.run(options, words);
        assert!(output.status.success(), "{output:?}");
        let written = String::from_utf8(output.stdout).unwrap();
        written.splitn(3, '\n').nth(2).unwrap().to_owned()
    }

    /// Starts it and waits until the program does.
    pub(crate) fn start_waiting(&self, words: &[&str]) -> Child {
        let words = [words, &["wait"]].concat();
        let mut child = self.command(&["--pids", "16"], &words).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "waiting"), "the program ended");
        child
    }

    /// The program's process, as known outside of the container.
    pub(crate) fn process(&self) -> u32 {
        let state = fs::read(self.state().join(&self.id).join("container/state.json")).unwrap();
        let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
        u32::try_from(state["pid"].as_u64().unwrap()).unwrap()
    }

    /// Removes what a killed runtime has left, which is the part of whoever started it.
    pub(crate) fn clean(&self) {
        for trace in self.traces() {
            // Of a process that is about to end the cgroup stays for a moment longer.
            let _ = if trace.starts_with(self.dir.path()) { fs::remove_dir_all(trace) } else { fs::remove_dir(trace) };
        }
    }

    /// What there is of it in the folder of the state and in every hierarchy of cgroups.
    pub(crate) fn traces(&self) -> Vec<PathBuf> {
        let root = Path::new("/sys/fs/cgroup");
        let hierarchies = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
        let mut places: Vec<_> = hierarchies.chain([root.into()]).map(|root| root.join(self.cgroup())).collect();
        places.push(self.state().join(&self.id));
        places.into_iter().filter(|place| place.exists()).collect()
    }
}

/// Waits for what takes a moment.
#[track_caller]
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(5), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The test's program as a static binary.
fn program() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

fn build() -> PathBuf {
    // Another test process may do the same: each compiles in a folder of its own, and what is kept appears whole.
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let dir = tempfile::tempdir_in(kept).unwrap();
    let built = dir.path().join("program");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/program.c");
    let compiled =
        Command::new("cc").args(["-static", "-O1", "-Wall", "-Werror", "-o"]).arg(&built).arg(source).status();
    assert!(compiled.expect("the tests need a C compiler: install gcc and libc6-dev").success());
    let program = kept.join("oci-program");
    fs::rename(built, &program).unwrap();
    program
}
