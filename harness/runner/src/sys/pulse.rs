//! Whether this process went on without a break. One that was stopped (Ctrl-Z), or whose machine was, measures the length of the
//! break and takes it for the subject's.

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

/// Watches the clock from a thread of its own until it is dropped.
#[derive(Debug)]
pub struct Pulse {
    beats: Arc<Beats>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Beats {
    state: Mutex<State>,
    over: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// When it was looked last.
    last_ns: u64,
    /// The beginnings and ends of breaks.
    breaks: VecDeque<(u64, u64)>,
}

impl State {
    fn beat(&mut self, now_ns: u64) {
        if now_ns.saturating_sub(self.last_ns) >= to_ns(BREAK) {
            self.breaks.push_back((self.last_ns, now_ns));
            if self.breaks.len() > MOST {
                self.breaks.pop_front();
            }
        }
        self.last_ns = now_ns;
    }

    /// The longest break that overlaps this time, as far as it does.
    fn longest(&self, from_ns: u64, to_ns: u64) -> Option<Duration> {
        let within = self.breaks.iter().map(|(begin, end)| {
            let (begin, end) = ((*begin).max(from_ns), (*end).min(to_ns));
            Duration::from_nanos(end.saturating_sub(begin))
        });
        within.max().filter(|longest| *longest >= BREAK)
    }
}

impl Pulse {
    /// Begins to watch. Who starts it says by its own CPUs where the thread runs.
    pub fn start() -> Self {
        let state = State { last_ns: monotonic_ns(), breaks: VecDeque::new() };
        let beats = Arc::new(Beats { state: Mutex::new(state), over: AtomicBool::new(false) });
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
        self.beats.lock().longest(from_ns, to_ns)
    }
}

impl Beats {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self) {
        let mut state = self.lock();
        state.beat(monotonic_ns());
    }
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
    use super::*;

    const MS: u64 = 1_000_000;

    fn state(beats_ms: &[u64]) -> State {
        let mut state = State { last_ns: beats_ms[0] * MS, ..State::default() };
        beats_ms[1..].iter().for_each(|beat| state.beat(beat * MS));
        state
    }

    #[test]
    fn a_break_counts_as_far_as_it_lies_in_what_was_measured() {
        let state = state(&[0, 10, 20, 4020, 4030]);
        let longest = |from: u64, to: u64| state.longest(from * MS, to * MS).map(|longest| longest.as_millis());
        assert_eq!(longest(0, 5000), Some(4000));
        assert_eq!(longest(3000, 5000), Some(1020));
        assert_eq!(longest(0, 20), None);
        assert_eq!(longest(4020, 5000), None);
        assert_eq!(longest(3900, 5000), None, "too short to be told from a busy machine");
    }

    #[test]
    fn a_busy_machine_is_no_break_and_old_breaks_are_forgotten() {
        assert_eq!(state(&[0, 60, 160, 300]).breaks.len(), 0);
        let beats: Vec<u64> = (0..1000).map(|beat| beat * 300).collect();
        assert_eq!(state(&beats).breaks.len(), MOST);
    }
}
