//! What somebody brings: a component, a program and an image that know nothing of this project, without any file and by one.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tare_model::metrics::{LATENCY, MEMORY_PSS, SIZE, STARTUP_COLD, THROUGHPUT};
use tare_model::{Group, Metric, RunState};
use tempfile::TempDir;

use crate::program::{Runs, alone, has_engine, stderr, tare};

const QUICK: [&str; 5] = ["compare", "--suite", "quick", "--rounds", "1"];

/// A folder with the server of a stranger, built as strangers do.
struct Stranger(TempDir);

impl Stranger {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/foreign");
        for name in ["server.c", "Dockerfile"] {
            std::fs::copy(own.join(name), folder.path().join(name)).unwrap();
        }
        Self(folder)
    }

    fn build(self) -> Self {
        let built = Command::new("cc").args(CC).current_dir(self.0.path()).status().unwrap();
        assert!(built.success());
        self
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn server(&self) -> PathBuf {
        self.path().join("server")
    }
}

/// What builds the server, statically, so that it runs in an empty image.
const CC: [&str; 7] = ["-O2", "-static", "-pthread", "-o", "server", "server.c", "-Wall"];

/// A component that is there: of the workspace, taken as a stranger would.
fn component() -> PathBuf {
    let output = tare(&["build", "--service", "orders", "--platform", "wasmtime/aot"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.trim_start().starts_with("component")).unwrap();
    crate::program::root().join(line.split_whitespace().last().unwrap())
}

/// A server that runs already, until it is dropped.
struct Running(Child, u16);

impl Running {
    fn start(server: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(server).arg(port.to_string()).stdout(Stdio::null()).spawn().unwrap();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        Self(child, port)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_component_a_program_an_image_and_a_url_are_compared_without_any_file() {
    let _alone = alone();
    let engine = has_engine();
    let (stranger, component, runs) = (Stranger::new().build(), component(), Runs::new());
    let (server, component) = (stranger.server().display().to_string(), component.display().to_string());
    let running = Running::start(&stranger.server());
    let url = format!("http://127.0.0.1:{}", running.1);
    let image;
    let mut args =
        vec!["--component", &component, "--program", &server, "--url", &url, "--get", "/healthz", "--name", "shop"];
    let mut platforms = "native,wasmtime/aot,wasmtime/jit,running".to_owned();
    if engine {
        image = build_image(&stranger);
        args.extend(["--image", &image]);
        platforms += ",docker/image,docker/image-bridge";
    }
    let output = tare(&QUICK).args(&args).args(["--platform", &platforms]).args(runs.args()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}\n{}", text(&output), stderr(&output));
    let run = runs.newest();
    let (record, samples) = (run.record(), run.samples());
    assert_eq!((record.state, &record.failed), (RunState::Complete, &Vec::new()));
    let has = |subject: &str, metric: &Metric, phase: &str| {
        samples.iter().any(|it| it.subject.to_string() == subject && it.metric == metric && it.phase == phase)
    };
    let mut whole = vec!["shop:given/native/process", "shop:given/wasmtime/aot", "shop:given/wasmtime/jit"];
    if engine {
        whole.extend(["shop:given/docker/image", "shop:given/docker/image-bridge"]);
    }
    for subject in whole {
        let cells: [(&Metric, &str); 4] =
            [(&SIZE, "artifact"), (&STARTUP_COLD, "total"), (&MEMORY_PSS, "idle"), (&THROUGHPUT, "closed")];
        assert!(cells.iter().all(|(metric, phase)| has(subject, metric, phase)), "{subject}");
    }
    let at_url = "shop:running/running/url";
    assert!(has(at_url, &LATENCY, "open_p50") && has(at_url, &THROUGHPUT, "closed"));
    assert!(!has(at_url, &STARTUP_COLD, "total") && !has(at_url, &MEMORY_PSS, "idle"));
    let unavailable: Vec<Group> = record.unavailable.iter().map(|cell| cell.group).collect();
    assert_eq!(unavailable, [Group::Size, Group::Startup, Group::Memory]);
    assert!(record.plan.subjects.iter().all(|subject| subject.service == "shop"), "no other service is measured");
    assert_eq!(record.isolation, [], "a stranger is not asked to break out");
    let table = text(&output);
    assert!(table.contains("shop") && !table.contains("orders/"), "{table}");
    // It says the same again from its files, and repeats by its own command.
    let again = tare(&["report", run.0.to_str().unwrap()]).output().unwrap();
    assert_eq!(text(&again), table);
    assert!(record.command.join(" ").contains("--get /healthz"), "{:?}", record.command);
}

/// Has the program build the image of a file, and takes that image's name as a stranger's.
fn build_image(stranger: &Stranger) -> String {
    std::fs::write(stranger.path().join("service.toml"), format!("name = \"stranger\"\n{SERVICE}")).unwrap();
    let path = stranger.path().display().to_string();
    let output = tare(&["build", "--service", &path, "--platform", "docker/image"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = text(&output);
    let line = text.lines().find(|line| line.trim_start().starts_with("image")).unwrap();
    line.split_whitespace().last().unwrap().to_owned()
}

const SERVICE: &str = r#"
summary = "says hello"
[[step]]
name = "hello"
method = "GET"
path = "/"
expect = { status = 200, contains = ["hello"] }
weight = 1
probe = true

[implementation.c]
program = { command = "./server {port}", build = "cc -O2 -static -pthread -o server server.c" }
image = { dockerfile = "Dockerfile", context = ".", args = ["{port}", "as-root"], build = "cc -O2 -static -pthread -o server server.c" }
needs = { user = "root" }
"#;

#[test]
fn a_service_by_one_file_is_built_granted_what_it_needs_and_measured() {
    let _alone = alone();
    let engine = has_engine();
    let (stranger, runs) = (Stranger::new(), Runs::new());
    std::fs::write(stranger.path().join("service.toml"), format!("name = \"greeter\"\n{SERVICE}")).unwrap();
    let path = stranger.path().display().to_string();
    let doctor = tare(&["doctor", "--service", &path]).output().unwrap();
    assert_eq!(doctor.status.code(), Some(0), "{}", stderr(&doctor));
    assert!(text(&doctor).contains("is not built yet"), "{}", text(&doctor));
    let output = tare(&QUICK)
        .args(["--service", &path, "--only", "startup,density", "--implementation", "c"])
        .args(["--platform", if engine { "native/process,docker/image" } else { "native/process" }])
        .args(runs.args())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}\n{}", text(&output), stderr(&output));
    let run = runs.newest();
    let (record, samples) = (run.record(), run.samples());
    assert!(samples.iter().any(|sample| sample.metric == &STARTUP_COLD && sample.subject.platform == "native"));
    let of_file = |subject: &tare_model::Subject| subject.to_string().starts_with("greeter:c/");
    assert!(record.plan.subjects.iter().all(of_file), "{:?}", record.plan.subjects);
    if engine {
        let image = record.subjects.iter().find(|subject| subject.subject.platform == "docker").unwrap();
        assert_eq!(image.grants, ["runs as root"]);
        assert!(image.settings["hardening"].contains("user root"), "{:?}", image.settings);
        // Without it, it does not come up.
        let without = SERVICE.replace("needs = { user = \"root\" }", "");
        std::fs::write(stranger.path().join("service.toml"), format!("name = \"greeter\"\n{without}")).unwrap();
        let mut command = tare(&QUICK);
        command.args(["--service", &path, "--only", "startup", "--platform", "docker/image"]);
        let refused = refused_by(command, &runs);
        assert!(refused.contains("this must run as root") && refused.contains("--needs"), "{refused}");
        assert!(text(&output).contains("runs as root"), "what is granted stands beside the figures: {}", text(&output));
    }
}

#[test]
fn what_init_writes_is_measured_as_it_is() {
    let _alone = alone();
    let (stranger, runs) = (Stranger::new().build(), Runs::new());
    let folder = stranger.path().join("shop");
    let path = folder.display().to_string();
    let program = format!("{} {{port}}", stranger.server().display());
    let init = || tare(&["init", &path, "--program", &program]).output().unwrap();
    let output = init();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let again = init();
    assert_eq!(again.status.code(), Some(2), "what is there is not overwritten");
    assert!(stderr(&again).contains("is there already"), "{}", stderr(&again));
    let output = tare(&QUICK).args(["--service", &path, "--only", "startup"]).args(runs.args()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}\n{}", text(&output), stderr(&output));
    assert!(runs.newest().samples().iter().any(|sample| sample.subject.to_string() == "shop:main/native/process"));
    // What is wrong with a description is told, and nothing is left of it.
    let (description, other) = (stranger.path().join("api.yaml"), stranger.path().join("other"));
    std::fs::write(&description, "openapi: 3.0.0\ninfo: {title: a, version: '1'}\npaths: {}\n").unwrap();
    let output = tare(&["init", other.to_str().unwrap(), "--openapi", description.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("api.yaml") && !other.exists(), "{}", stderr(&output));
}

/// What a comparison says in which nothing could be measured.
fn refused_by(mut command: Command, runs: &Runs) -> String {
    let output = command.args(runs.args()).output().unwrap();
    assert_ne!(output.status.code(), Some(0), "{}", text(&output));
    let record = runs.newest().record();
    record.failed.iter().map(|cell| cell.reason.clone()).collect()
}

#[test]
fn what_cannot_be_used_is_told_before_anything_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let core = folder.path().join("core.wasm");
    // A core module without anything in it.
    std::fs::write(&core, b"\0asm\x01\0\0\0").unwrap();
    let args = ["doctor", "--component", core.to_str().unwrap(), "--program", "./none", "--image", "stranger/none:1"];
    let output = tare(&args).output().unwrap();
    let told = text(&output);
    assert_eq!(output.status.code(), Some(0), "a comparison stays possible: {told}");
    assert!(told.contains("a core module, not a component"), "{told}");
    assert!(told.contains("there is no program `./none`"), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
    let output = tare(&args[..args.len() - 2]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "nothing of it can be measured: {}", text(&output));
    let output = tare(&["compare", "--service", folder.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("service.toml"), "{}", stderr(&output));
    let output = tare(&["compare", "--get", "/healthz"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("name what to measure"), "{}", stderr(&output));
    let output = tare(&["compare", "--url", "http://192.0.2.1/"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not this machine"), "{}", stderr(&output));
}
