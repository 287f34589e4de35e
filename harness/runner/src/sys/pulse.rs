//! Whether this process went on without a break, and the container engine too. What was stopped (Ctrl-Z), or whose machine was,
//! is waited for; whoever measures takes the length of the break for the subject's.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::clock::monotonic_ns;

/// How often it is looked.
const PERIOD: Duration = Duration::from_millis(10);

/// The shortest break that counts: many times what a busy machine keeps a thread waiting for.
const BREAK: Duration = Duration::from_millis(250);

/// The most breaks that are remembered; a run is not paused more often within one of its measurements.
const MOST: usize = 256;

/// Watches the clock and the engine from a thread of its own until it is dropped.
#[derive(Debug)]
pub struct Pulse {
    beats: Arc<Beats>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Beats {
    state: Mutex<State>,
    /// The engine's processes.
    engine: Vec<i32>,
    over: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// When it was looked last.
    last_ns: u64,
    /// The breaks of this process.
    own: Breaks,
    /// The times in which the engine was stopped.
    engine: Breaks,
}

/// The beginnings and ends of breaks, in order.
#[derive(Debug, Default)]
struct Breaks(VecDeque<(u64, u64)>);

impl Breaks {
    /// Adds one, or lengthens the last one if this follows it.
    fn add(&mut self, begin_ns: u64, end_ns: u64) {
        match self.0.back_mut().filter(|(_, end)| *end == begin_ns) {
            Some(last) => last.1 = end_ns,
            None => self.0.push_back((begin_ns, end_ns)),
        }
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// The longest that overlaps this time, as far as it does.
    fn longest(&self, from_ns: u64, to_ns: u64) -> Option<Duration> {
        let within = self.0.iter().map(|(begin, end)| {
            let (begin, end) = ((*begin).max(from_ns), (*end).min(to_ns));
            Duration::from_nanos(end.saturating_sub(begin))
        });
        within.max().filter(|longest| *longest >= BREAK)
    }
}

impl State {
    fn beat(&mut self, now_ns: u64, engine_is_stopped: bool) {
        if now_ns.saturating_sub(self.last_ns) >= to_ns(BREAK) {
            self.own.add(self.last_ns, now_ns);
        }
        if engine_is_stopped {
            self.engine.add(self.last_ns, now_ns);
        }
        self.last_ns = now_ns;
    }
}

impl Pulse {
    /// Begins to watch this process and those of the engine. Who starts it says by its own CPUs where the thread runs.
    pub fn start(engine: Vec<i32>) -> Self {
        let state = State { last_ns: monotonic_ns(), ..State::default() };
        let beats = Arc::new(Beats { state: Mutex::new(state), engine, over: AtomicBool::new(false) });
        let shared = Arc::clone(&beats);
        let thread = std::thread::spawn(move || {
            while !shared.over.load(Ordering::Relaxed) {
                std::thread::sleep(PERIOD);
                shared.beat();
            }
        });
        Self { beats, thread: Some(thread) }
    }

    /// The longest break of this process between two times of the monotonic clock; `None` where it had none.
    pub fn longest_break(&self, from_ns: u64, to_ns: u64) -> Option<Duration> {
        // Who asks may be the first to run after a break.
        self.beats.beat();
        self.beats.lock().own.longest(from_ns, to_ns)
    }

    /// The longest time that the engine was stopped between two times of the monotonic clock; `None` where it was not.
    pub fn longest_stop_of_engine(&self, from_ns: u64, to_ns: u64) -> Option<Duration> {
        self.beats.lock().engine.longest(from_ns, to_ns)
    }
}

impl Beats {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self) {
        let engine_is_stopped = self.engine.iter().any(|pid| is_stopped(*pid));
        let mut state = self.lock();
        state.beat(monotonic_ns(), engine_is_stopped);
    }
}

/// Whether a process is stopped by a signal or a debugger; not where it is gone.
fn is_stopped(pid: i32) -> bool {
    // The name before the state is in parentheses and may hold some itself; not through fs_err, which words errors that are
    // expected here.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['T', 't']))
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.beats.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to lose.
            let _ = thread.join();
        }
    }
}

fn to_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    use super::*;

    const MS: u64 = 1_000_000;

    fn state(beats_ms: &[u64]) -> State {
        let mut state = State { last_ns: beats_ms[0] * MS, ..State::default() };
        beats_ms[1..].iter().for_each(|beat| state.beat(beat * MS, false));
        state
    }

    #[test]
    fn a_break_counts_as_far_as_it_lies_in_what_was_measured() {
        let state = state(&[0, 10, 20, 4020, 4030]);
        let longest = |from: u64, to: u64| state.own.longest(from * MS, to * MS).map(|longest| longest.as_millis());
        assert_eq!(longest(0, 5000), Some(4000));
        assert_eq!(longest(3000, 5000), Some(1020));
        assert_eq!(longest(0, 20), None);
        assert_eq!(longest(4020, 5000), None);
        assert_eq!(longest(3900, 5000), None, "too short to be told from a busy machine");
    }

    #[test]
    fn a_busy_machine_is_no_break_and_old_breaks_are_forgotten() {
        assert_eq!(state(&[0, 60, 160, 300]).own.0.len(), 0);
        let mut breaks = Breaks::default();
        (0..1000).for_each(|number| breaks.add(number * 600 * MS, (number * 600 + 300) * MS));
        assert_eq!(breaks.0.len(), MOST);
    }

    #[test]
    fn a_stopped_engine_is_seen_for_as_long_as_it_is_stopped() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed());
        let pulse = Pulse::start(vec![pid.as_raw()]);
        let began_ns = monotonic_ns();
        kill(pid, Signal::SIGSTOP).unwrap();
        std::thread::sleep(BREAK * 2);
        kill(pid, Signal::SIGCONT).unwrap();
        std::thread::sleep(PERIOD * 5);
        let resumed_ns = monotonic_ns();
        std::thread::sleep(BREAK * 2);
        let stop = |from_ns| pulse.longest_stop_of_engine(from_ns, monotonic_ns());
        let (seen, later) = (stop(began_ns), stop(resumed_ns));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(seen.is_some_and(|seen| seen >= BREAK), "{seen:?}");
        assert_eq!(later, None);
    }
}
