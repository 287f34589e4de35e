//! A thread that watches a quantity while something else goes on.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two readings. Reading the memory of a process costs it some 50 µs, so this is a share of 1/1000.
pub const PERIOD: Duration = Duration::from_millis(50);

/// Keeps readings until it is stopped.
pub struct Sampler<T> {
    stop: Sender<()>,
    thread: JoinHandle<Vec<T>>,
}

impl<T: Send + 'static> Sampler<T> {
    /// Reads at once and then at the fixed period, in a thread of its own.
    pub fn start(read: impl Fn() -> T + Send + 'static) -> Self {
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            let mut readings = Vec::new();
            loop {
                readings.push(read());
                if stopped.recv_timeout(PERIOD) != Err(RecvTimeoutError::Timeout) {
                    return readings;
                }
            }
        });
        Self { stop, thread }
    }

    /// Ends the watch and gives all readings, the first of them first.
    ///
    /// # Panics
    /// When the reading function panicked.
    pub fn stop(self) -> Vec<T> {
        // The thread may be gone already; then joining tells.
        let _ = self.stop.send(());
        self.thread.join().expect("the sampling thread does not panic")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn every_reading_is_kept_in_order() {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        let sampler = Sampler::start(|| CALLS.fetch_add(1, Ordering::SeqCst));
        while CALLS.load(Ordering::SeqCst) < 3 {
            std::thread::yield_now();
        }
        let readings = sampler.stop();
        assert!(readings.len() >= 3 && readings.iter().copied().eq(0..CALLS.load(Ordering::SeqCst)), "{readings:?}");
    }
}
