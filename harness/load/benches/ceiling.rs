//! How many requests a second one generator thread can drive: this generator beside `wrk` and `oha`, in one run.
//!
//! All of them are bound to the same CPU and drive the same null server, bound to another, over the same number of
//! keep-alive connections. They take turns, and the first one of a round changes, so that a disturbance of the machine
//! hits all alike. Run it with `cargo bench -p tare-load --bench ceiling`; numbers of connections can be given after a
//! `--`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

use std::error::Error;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use tare_load::{Mix, Mode, NullServer, Parts, Request, Settings, run};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 7;
const SECONDS: u64 = 2;
/// Unless others are given.
const CONNECTIONS: [usize; 4] = [1, 8, 32, 64];

/// Something that drives a load.
struct Tool {
    name: &'static str,
    /// Drives a load of [`SECONDS`] over so many connections; requests per second.
    drive: fn(&Bench, usize) -> Result<f64>,
    /// The program it needs, and how to get it.
    needs: Option<(&'static str, &'static str)>,
}

/// The first is what the others are compared with.
const TOOLS: [Tool; 3] = [
    Tool { name: "tare", drive: Bench::tare, needs: None },
    Tool { name: "wrk", drive: Bench::wrk, needs: Some(("wrk", "apt-get install wrk")) },
    Tool { name: "oha", drive: Bench::oha, needs: Some(("oha", "cargo install oha")) },
];

struct Bench {
    server: SocketAddr,
    generator_cpu: usize,
    mix: Mix,
}

impl Bench {
    fn tare(&self, connections: usize) -> Result<f64> {
        let settings = Settings {
            addr: self.server,
            connections,
            duration: Duration::from_secs(SECONDS),
            timeout: Duration::from_secs(5),
            seed: 1,
            mode: Mode::Closed,
            cpus: vec![self.generator_cpu],
        };
        let outcome = run(&settings, &self.mix, &AtomicBool::new(false))?;
        if outcome.errors.total() > 0 {
            return Err(format!("the null server failed: {:?}", outcome.errors).into());
        }
        Ok(outcome.throughput_rps())
    }

    fn wrk(&self, connections: usize) -> Result<f64> {
        let (connections, duration) = (format!("-c{connections}"), format!("-d{SECONDS}s"));
        let output = self.command("wrk", &["-t1", &connections, &duration])?;
        number_after(&output, "Requests/sec:")
    }

    fn oha(&self, connections: usize) -> Result<f64> {
        let (connections, duration) = (connections.to_string(), format!("{SECONDS}s"));
        let output = self.command("oha", &["--no-tui", "-c", &connections, "-z", &duration])?;
        number_after(&output, "Requests/sec:")
    }

    /// Runs a program against the server. It inherits the CPU that this thread is bound to.
    fn command(&self, program: &str, args: &[&str]) -> Result<String> {
        let url = format!("http://{}/healthz", self.server);
        let output = Command::new(program).args(args).arg(url).env("TOKIO_WORKER_THREADS", "1").output()?;
        if !output.status.success() {
            return Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn number_after(text: &str, label: &str) -> Result<f64> {
    let rest = text.split_once(label).ok_or_else(|| format!("no `{label}` in: {text}"))?.1;
    Ok(rest.split_whitespace().next().ok_or("no number")?.parse()?)
}

fn main() -> Result<()> {
    let cpus = own_cpus()?;
    let [server_cpu, generator_cpu, ..] = cpus[..] else {
        return Err("two CPUs are needed: one for the server, one for the generator".into());
    };
    let server = NullServer::start(&[server_cpu])?;
    let mut generator = CpuSet::new();
    generator.set(generator_cpu)?;
    sched_setaffinity(Pid::from_raw(0), &generator)?;

    let request = Parts { name: "health", method: "GET", path: "/healthz", ..Parts::default() };
    let request = Request::new(&request)?;
    let expect = NullServer::expect(&request);
    let mix = Mix::new([(request.expecting(expect), 1)])?;
    let bench = Bench { server: server.addr(), generator_cpu, mix };
    let tools: Vec<&Tool> = TOOLS.iter().filter(|tool| is_there(tool)).collect();
    println!(
        "requests/s, median of {ROUNDS} interleaved rounds of {SECONDS} s (lowest to highest); ratio to the first"
    );
    let given: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let connections = if given.is_empty() { CONNECTIONS.to_vec() } else { given };
    for connections in connections {
        measure(&bench, &tools, connections)?;
    }
    Ok(())
}

fn measure(bench: &Bench, tools: &[&Tool], connections: usize) -> Result<()> {
    let mut rates = vec![Vec::with_capacity(ROUNDS); tools.len()];
    for round in 0..ROUNDS {
        for turn in 0..tools.len() {
            let turn = (round + turn) % tools.len();
            rates[turn].push((tools[turn].drive)(bench, connections)?);
        }
    }
    let mut first = None;
    for (tool, rates) in tools.iter().zip(&mut rates) {
        rates.sort_by(f64::total_cmp);
        let median = rates[ROUNDS / 2];
        let ratio = median / *first.get_or_insert(median);
        let (low, high) = (rates[0], rates[ROUNDS - 1]);
        println!("{connections:>3} connections  {:<5} {median:>8.0}  ({low:.0} to {high:.0})  {ratio:.2}", tool.name);
    }
    Ok(())
}

fn is_there(tool: &Tool) -> bool {
    let Some((program, remedy)) = tool.needs else { return true };
    let missing = Command::new(program).arg("--version").output().is_err_and(|e| e.kind() == ErrorKind::NotFound);
    if missing {
        eprintln!("{program} is not on the PATH and is left out; get it by `{remedy}`");
    }
    !missing
}

/// The CPUs that this process may run on.
fn own_cpus() -> Result<Vec<usize>> {
    let set = sched_getaffinity(Pid::from_raw(0))?;
    Ok((0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).collect())
}
