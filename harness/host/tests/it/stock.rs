//! The same questions to the stock `wasmtime serve`, where there is one of the version that is measured: what this project's
//! hosts answer should be what it answers.
//!
//! It is looked for under the name in `TARE_STOCK_WASMTIME`, else as `wasmtime` on the path. Building it takes minutes, so
//! that it is not asked for in continuous integration; `cargo install wasmtime-cli --version 48.0.8 --locked` does it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::artifacts::{Program, WASMER, WASMTIME, build_as};
use crate::process::{Answer, Host, get, post};

/// The version that the hosts are made of.
const VERSION: &str = "wasmtime 48.0.8";

/// The stock server, which ends with this.
struct Stock(Child);

impl Drop for Stock {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The stock program, or why there is none.
fn program() -> Result<PathBuf, String> {
    let path = PathBuf::from(std::env::var_os("TARE_STOCK_WASMTIME").unwrap_or_else(|| "wasmtime".into()));
    let output =
        Command::new(&path).arg("--version").output().map_err(|error| format!("{}: {error}", path.display()))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if version.starts_with(VERSION) {
        Ok(path)
    } else {
        Err(format!("{} is `{version}`, not {VERSION}", path.display()))
    }
}

fn serve(program: &Path, component: &Path) -> (Stock, SocketAddr) {
    // It does not tell which port it took, so that it is given one that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = free.local_addr().unwrap();
    drop(free);
    let mut command = Command::new(program);
    command.args(["serve", "-S", "cli,keyvalue", "--addr", &addr.to_string()]).arg(component);
    let server = Stock(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let began = Instant::now();
    while TcpStream::connect(addr).is_err() {
        assert!(began.elapsed() < Duration::from_mins(1), "the stock server does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    (server, addr)
}

/// What is answered to everything on which the stock server and this project's hosts should agree.
///
/// Not asked: state over several requests, which the stock server does not keep; the environment, to which it adds a number;
/// requests to others, which it allows; and the words of an error, which are each one's own.
fn answers(addr: SocketAddr) -> Vec<(String, Answer)> {
    let mut answers = Vec::new();
    for path in [
        "/hello",
        "/count",
        "/count",
        "/request?a=%20&b",
        "/clocks",
        "/random",
        "/fields",
        "/headers?0",
        "/headers?90",
        "/short?5&5",
        "/late?50",
        "/stream?3",
        "/keyvalue/draft/get?key",
        "/keyvalue/draft/set?other&value",
        "/keyvalue/draft/exists?third",
        "/keyvalue/draft/delete?fourth",
        "/keyvalue/draft/increment?n&5",
    ] {
        answers.push((path.to_owned(), get(addr, path)));
    }
    for (path, length) in [("/echo", 0), ("/echo", 70_000), ("/mirror", 1), ("/mirror", 65_536), ("/mirror", 900_001)] {
        let body: Vec<u8> = (0..length).map(|index: u32| b'a' + u8::try_from(index % 26).unwrap()).collect();
        for chunked in [false, true] {
            answers.push((format!("{path}, {length} bytes, chunked {chunked}"), post(addr, path, &body, chunked)));
        }
    }
    for path in ["/trap", "/refuse", "/exit", "/silent", "/nowhere"] {
        let Answer { status, .. } = get(addr, path);
        answers.push((path.to_owned(), Answer { status, kind: None, text: String::new() }));
    }
    answers
}

#[test]
fn the_hosts_answer_as_the_stock_server_does() {
    let stock = match program() {
        Ok(stock) => stock,
        Err(why) => {
            // Past the test harness, which keeps what a test prints that passes.
            let _ = writeln!(std::io::stderr(), "SKIPPED: no stock {VERSION} to compare the hosts with ({why})");
            return;
        }
    };
    let guest = build_as(
        "service-direct",
        &["-p", "tare-host-guest", "--lib", "--target", "wasm32-wasip2", "--features", "stock"],
    );
    let (server, addr) = serve(&stock, &guest);
    let expected = answers(addr);
    drop(server);
    let ours = |program: &Program| {
        let (host, addr) = Host::with(&program.jit, &guest, &[]);
        let found = answers(addr);
        host.stop();
        found
    };
    for program in [&WASMTIME, &WASMER] {
        for ((what, found), (_, expected)) in ours(program).iter().zip(&expected) {
            assert_eq!(found, expected, "{what} on {}", program.compiler);
        }
    }
}
