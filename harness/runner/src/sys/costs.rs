//! What the machine takes for what every start and every request is made of. Machines differ in these by several times, virtual
//! ones most of all, and with them what is measured here: whoever compares runs of two machines looks at these first.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::affinity::{Cpus, pin_this_thread};

/// What is spent on each cost at most, so that a slow machine is not looked at for long.
const BUDGET: Duration = Duration::from_millis(30);

/// The most times that something is done; the median of them counts.
const TIMES: usize = 500;

/// System calls and pages that are timed together: one alone is as short as the clock's own reading.
const TOGETHER: u32 = 256;

/// The size of a page in bytes.
const PAGE: usize = 4096;

/// How much memory is asked for to touch some of it, in bytes: more than an allocator ever keeps for the next time (32 MiB).
const REGION: usize = 64 << 20;

/// The costs, by name, in words; without those that cannot be had.
pub fn costs(cpus: &Cpus) -> BTreeMap<String, String> {
    let costs = [
        ("system call", Ok(system_call())),
        ("first touch of a page", Ok(first_touch())),
        ("wake-up on another CPU", wake_up(cpus)),
        ("start of a process", start()),
        ("TCP round trip", round_trip(cpus)),
    ];
    let shown = |cost: Duration| match cost.as_nanos() as f64 {
        ns if ns < 1e4 => format!("{:.2} µs", ns / 1e3),
        ns if ns < 1e6 => format!("{:.0} µs", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    };
    costs.into_iter().filter_map(|(name, cost)| Some((name.to_owned(), shown(cost.ok()?)))).collect()
}

/// The median of what something takes, done again and again within the budget.
fn median(mut once: impl FnMut() -> Result<Duration>) -> Result<Duration> {
    let began = Instant::now();
    let mut took = vec![once()?];
    while took.len() < TIMES && began.elapsed() < BUDGET {
        took.push(once()?);
    }
    took.sort_unstable();
    Ok(took[took.len() / 2])
}

fn timed(what: impl FnOnce()) -> Duration {
    let began = Instant::now();
    what();
    began.elapsed()
}

fn system_call() -> Duration {
    let calls = || {
        for _ in 0..TOGETHER {
            black_box(nix::unistd::getppid());
        }
    };
    median(|| Ok(timed(calls) / TOGETHER)).unwrap_or_default()
}

/// Of memory that the kernel has promised and not given: with pages of 4 KiB, a fault for each.
fn first_touch() -> Duration {
    let touch = || {
        let mut memory = vec![0_u8; REGION];
        let pages = black_box(&mut memory).iter_mut().step_by(PAGE).take(TOGETHER as usize);
        timed(|| pages.for_each(|byte| *byte = 1)) / TOGETHER
    };
    median(|| Ok(touch())).unwrap_or_default()
}

/// From a thread on a CPU of the generator to one that sleeps on a CPU of the subjects: half of the way there and back.
fn wake_up(cpus: &Cpus) -> Result<Duration> {
    let (there, heard) = channel::<()>();
    let (back, answered) = channel::<()>();
    let subject = cpus.subject.clone();
    let other = std::thread::spawn(move || {
        // It is timed all the same where it may not be confined.
        let _ = pin_this_thread(&subject);
        while heard.recv().is_ok() && back.send(()).is_ok() {}
    });
    let took = median(|| {
        let began = Instant::now();
        there.send(())?;
        answered.recv()?;
        Ok(began.elapsed() / 2)
    });
    drop(there);
    other.join().ok().context("the other thread broke off")?;
    took
}

/// Of a process that does nothing, to its end.
fn start() -> Result<Duration> {
    median(|| {
        let began = Instant::now();
        Command::new("true").stdin(Stdio::null()).stdout(Stdio::null()).status().context("cannot start `true`")?;
        Ok(began.elapsed())
    })
}

/// One byte there and back over loopback, to a thread that sleeps on a CPU of the subjects.
fn round_trip(cpus: &Cpus) -> Result<Duration> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    let subject = cpus.subject.clone();
    let other = std::thread::spawn(move || -> std::io::Result<()> {
        let _ = pin_this_thread(&subject);
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let mut byte = [0];
        while stream.read(&mut byte)? > 0 {
            stream.write_all(&byte)?;
        }
        Ok(())
    });
    let mut stream = TcpStream::connect(addr)?;
    stream.set_nodelay(true)?;
    let mut byte = [0];
    let took = median(|| {
        let began = Instant::now();
        stream.write_all(&byte)?;
        stream.read_exact(&mut byte)?;
        Ok(began.elapsed())
    });
    drop(stream);
    other.join().ok().context("the other thread broke off")??;
    took
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cost_is_found_and_they_are_in_the_order_that_physics_gives() {
        let cpus = Cpus::detect().unwrap();
        assert_eq!(costs(&cpus).len(), 5, "{:?}", costs(&cpus));
        let (call, start) = (system_call(), start().unwrap());
        assert!(Duration::ZERO < call && call < start, "{call:?} {start:?}");
        assert!(round_trip(&cpus).unwrap() > call);
    }

    #[test]
    fn the_median_is_of_what_fits_into_the_budget() {
        let mut times = 0;
        let slow = median(|| {
            times += 1;
            std::thread::sleep(BUDGET);
            Ok(BUDGET)
        });
        assert_eq!((slow.unwrap(), times), (BUDGET, 1));
        assert!(median(|| anyhow::bail!("no")).is_err());
    }
}
