//! One load, from the first connection to the last answer.

use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::worker::Worker;
use crate::{LoadError, Mix, Outcome, Settings, cpu};

/// How long the threads get to come up before the load begins.
const HEAD_START: Duration = Duration::from_millis(2);

/// Puts a load on a subject and blocks until it is over: when the window has passed and every answer is in or timed out.
/// Ends early when `cancel` becomes true or the subject is gone; what was measured until then is returned.
///
/// # Errors
/// [`LoadError`] if the load cannot begin: senseless settings, a subject that takes no connections, a CPU that is not
/// there. Whatever the subject does later is part of the [`Outcome`].
pub fn run(settings: &Settings, mix: &Mix, cancel: &AtomicBool) -> Result<Outcome, LoadError> {
    settings.check()?;
    let mut streams: Vec<Vec<TcpStream>> = (0..settings.threads()).map(|_| Vec::new()).collect();
    for index in 0..settings.connections {
        let stream = connect(settings).map_err(|source| LoadError::Connect { addr: settings.addr, source })?;
        streams[index % settings.threads()].push(stream);
    }
    let started = Instant::now() + HEAD_START;
    let aborted = AtomicBool::new(false);
    let stop = || cancel.load(Ordering::Relaxed) || aborted.load(Ordering::Relaxed);
    let work = |index: usize, streams: Vec<TcpStream>| {
        let cpus: Vec<usize> = settings.cpus.get(index).copied().into_iter().collect();
        cpu::pin(&cpus).map_err(|error| LoadError::Pin { cpus, source: error.into() })?;
        Worker::new(settings, mix, index, streams, started)?.run(stop)
    };
    // A thread that fails must not leave the others running for the whole window.
    let work = |index, streams| work(index, streams).inspect_err(|_| aborted.store(true, Ordering::Relaxed));
    let outcomes = thread::scope(|scope| -> Result<Vec<_>, LoadError> {
        let threads: Vec<_> = streams
            .into_iter()
            .enumerate()
            .map(|(index, streams)| {
                let thread = thread::Builder::new().name(format!("load-{index}"));
                thread.spawn_scoped(scope, move || work(index, streams))
            })
            .collect::<io::Result<_>>()
            .map_err(LoadError::system("start a generator thread"))
            .inspect_err(|_| aborted.store(true, Ordering::Relaxed))?;
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })?;
    let mut whole = Outcome::new(settings.timeout);
    for outcome in outcomes {
        whole.merge(outcome);
    }
    Ok(whole)
}

fn connect(settings: &Settings) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&settings.addr, settings.timeout)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
