//! What the tests of the engine share: a place that clears up behind them, a program for their images, and questions to
//! it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fs_err as fs;
use futures_util::FutureExt as _;
use tare_runner::engine::{
    Container, ContainerSpec, Engine, EngineError, Hardening, Image, ImageSpec, Network, RunOwner,
};

pub(crate) const MEMORY_LIMIT: u64 = 64 << 20;

/// A test's surroundings: everything that it makes in the engine goes with it.
pub(crate) struct Scene {
    pub(crate) engine: Engine,
    pub(crate) owner: RunOwner,
    /// For names that no other test has.
    name: &'static str,
    pub(crate) dir: tempfile::TempDir,
}

/// Runs a test against the engine and clears up behind it, also where it panics.
pub(crate) async fn scene(name: &'static str, test: impl AsyncFnOnce(&Scene)) {
    let engine = match Engine::connect().await {
        Ok(engine) => engine,
        Err(error) => return skip(&error),
    };
    let owner = RunOwner::this_process(&format!("test-{name}"));
    let scene = Scene { engine, owner, name, dir: tempfile::tempdir().unwrap() };
    let outcome = AssertUnwindSafe(test(&scene)).catch_unwind().await;
    scene.engine.remove_run(&scene.owner).await.unwrap();
    scene.engine.remove_image(&scene.image_name()).await.unwrap();
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

#[expect(clippy::print_stderr, reason = "a test that did not run must not look like one that passed")]
fn skip(error: &EngineError) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "the tests of the container engine need one: {error}");
    eprintln!("\n*** SKIPPED: {error}\n");
}

impl Scene {
    pub(crate) fn image_name(&self) -> String {
        format!("tare-test/{}:{}", self.name, std::process::id())
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.path().join("build.log")
    }

    /// An image of one of the kinds in containers/, with the test's server in it.
    pub(crate) fn image_spec(&self, kind: &str, files: Vec<(String, PathBuf)>) -> ImageSpec {
        ImageSpec {
            kind: kind.into(),
            name: self.image_name(),
            dockerfile: containers().join(format!("{kind}.Dockerfile")),
            files,
            args: BTreeMap::from([("SERVICE".into(), "tiny".into())]),
            base: None,
            run: self.owner.run.clone(),
        }
    }

    pub(crate) async fn scratch_image(&self) -> Image {
        let spec = self.image_spec("scratch", vec![("tiny".into(), static_server())]);
        self.engine.build_image(&spec, &self.log()).await.unwrap()
    }

    pub(crate) fn container_spec(&self, image: &Image, network: Network, listen: &str) -> ContainerSpec {
        ContainerSpec {
            image: image.id.clone(),
            name: format!("tare-test-{}-{}", self.name, std::process::id()),
            env: vec![("LISTEN_ADDR".into(), listen.into())],
            cmd: Vec::new(),
            network,
            cpuset: Some("0".into()),
            memory_limit: MEMORY_LIMIT,
            pids_limit: 16,
            hardening: Hardening::default(),
            owner: self.owner.clone(),
        }
    }

    /// Starts a container with the server on the host's network.
    pub(crate) async fn start_on_host(&self, image: &Image, memory_limit: u64) -> (Container, SocketAddr) {
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let spec = self.container_spec(image, Network::Host, &addr.to_string());
        let container = self.engine.create(&ContainerSpec { memory_limit, ..spec }).await.unwrap();
        self.engine.start(&container).await.unwrap();
        (container, addr)
    }

    /// Asks until there is an answer, which a container gives within a second or two.
    pub(crate) async fn ask(&self, container: &Container, addr: SocketAddr) -> String {
        let begun = Instant::now();
        loop {
            match request(addr, "/") {
                Ok(answer) if answer.starts_with("HTTP/1.1 200 OK\r\n") => return answer,
                _ if begun.elapsed() < Duration::from_secs(30) => tokio::time::sleep(Duration::from_millis(5)).await,
                other => {
                    let log = self.engine.log_tail(container, 10).await;
                    panic!("no answer from {addr}: {other:?}; log: {log:?}");
                }
            }
        }
    }
}

pub(crate) fn containers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../containers")
}

/// The test's server as a static binary.
pub(crate) fn static_server() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| build_server("static", Some(&format!("{}-unknown-linux-musl", std::env::consts::ARCH))))
        .clone()
}

/// Compiles server.rs into the folder that cargo keeps for the files of tests.
pub(crate) fn build_server(name: &str, target: Option<&str>) -> PathBuf {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // Another test process may do the same: each compiles in a folder of its own, and what is kept appears whole.
    let dir = tempfile::tempdir_in(kept).unwrap();
    let (source, built) = (dir.path().join("server.rs"), dir.path().join("server"));
    fs::write(&source, include_str!("server.rs")).unwrap();
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "-O", "-Cpanic=abort", "-Cstrip=symbols", "-o"]).arg(&built).arg(&source);
    rustc.args(target.map(|target| format!("--target={target}")));
    assert!(rustc.status().unwrap().success());
    let server = kept.join(format!("{name}-server"));
    fs::rename(built, &server).unwrap();
    server
}

pub(crate) fn request(addr: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(addr)?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    // In one piece: the server answers the first that it reads.
    connection.write_all(format!("GET {path} HTTP/1.1\r\nhost: tiny\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

#[track_caller]
pub(crate) fn assert_has_line(answer: &str, line: &str) {
    assert!(answer.lines().any(|found| found == line), "no line `{line}` in:\n{answer}");
}
