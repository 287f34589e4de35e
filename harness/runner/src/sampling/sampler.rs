//! A thread that watches a quantity while something else goes on.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two readings. Reading the memory of a process costs it some 50 µs, so this is a share of 1/1000.
const PERIOD: Duration = Duration::from_millis(50);

/// Keeps the largest readings until it is stopped.
pub struct PeakSampler {
    stop: Sender<()>,
    thread: JoinHandle<Vec<Option<u64>>>,
}

impl PeakSampler {
    /// Reads several quantities at a fixed period in a thread of its own; `None` is a reading that failed.
    pub fn start<const N: usize>(read: impl Fn() -> [Option<u64>; N] + Send + 'static) -> Self {
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            let mut peak = vec![None; N];
            loop {
                for (peak, value) in peak.iter_mut().zip(read()) {
                    *peak = (*peak).max(value);
                }
                if stopped.recv_timeout(PERIOD) != Err(RecvTimeoutError::Timeout) {
                    return peak;
                }
            }
        });
        Self { stop, thread }
    }

    /// Ends the watch and gives the largest readings, in the order of the quantities.
    ///
    /// # Panics
    /// When the reading function panicked.
    pub fn stop(self) -> Vec<Option<u64>> {
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
    fn the_largest_reading_is_kept() {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        let sampler = PeakSampler::start(|| {
            let call = CALLS.fetch_add(1, Ordering::SeqCst);
            [Some(if call == 1 { 9 } else { 3 }), None]
        });
        while CALLS.load(Ordering::SeqCst) < 3 {
            std::thread::yield_now();
        }
        assert_eq!(sampler.stop(), [Some(9), None]);
    }
}
