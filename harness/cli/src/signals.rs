//! Ctrl-C, SIGTERM, SIGHUP and SIGQUIT: the user's wish to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tare_runner::Cancel;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// The signals by which a user ends a run.
pub struct Signals {
    received: Arc<Notify>,
    at_once: Arc<AtomicBool>,
}

impl Signals {
    /// Begins to listen, on a thread of its own: whatever the run waits in, its flag is set at once. From now on these signals
    /// no longer end the process by themselves; a second one does, at once.
    pub fn listen(cancel: &Cancel) -> Result<Self> {
        let received = Arc::new(Notify::new());
        let at_once = Arc::new(AtomicBool::new(false));
        let (cancel, notify, ends) = (cancel.clone(), Arc::clone(&received), Arc::clone(&at_once));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot listen for signals")?;
        let mut signals = {
            // Theirs is that runtime, not the one that this may be running in.
            let _guard = runtime.enter();
            Listened::new()?
        };
        std::thread::spawn(move || {
            runtime.block_on(async {
                signals.next().await;
                if ends.load(Ordering::Relaxed) {
                    std::process::exit(INTERRUPTED);
                }
                cancel.set();
                notify.notify_one();
                // What ends a session may send several at once: that is one wish.
                let begun = Instant::now();
                while begun.elapsed() < ONE_WISH {
                    signals.next().await;
                }
                // What is left then, the next start removes.
                std::process::exit(INTERRUPTED);
            });
        });
        Ok(Self { received, at_once })
    }

    /// From now on a first signal, too, ends the process at once: nothing is running any more that would have to be ended
    /// before.
    pub fn end_at_once(&self) {
        self.at_once.store(true, Ordering::Relaxed);
    }

    /// Waits for one of them.
    pub async fn received(&self) {
        self.received.notified().await;
    }
}

/// How long after the first signal others count as the same wish.
const ONE_WISH: Duration = Duration::from_millis(500);

/// 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: i32 = 130;

/// Those that whoever started this program has not told it to ignore, as `nohup` does.
struct Listened(Vec<Signal>);

impl Listened {
    fn new() -> Result<Self> {
        let ignored = ignored(&fs_err::read_to_string("/proc/self/status").unwrap_or_default());
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
        let heard = kinds.into_iter().filter(|kind| ignored >> (kind.as_raw_value() - 1) & 1 == 0);
        let signals: Result<Vec<Signal>, _> = heard.map(signal).collect();
        Ok(Self(signals.context("cannot listen for signals")?))
    }

    async fn next(&mut self) {
        std::future::poll_fn(|context| {
            let mut came = false;
            for signal in &mut self.0 {
                came |= signal.poll_recv(context).is_ready();
            }
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// The signals that a process ignores, a bit for each, from the text of its /proc/PID/status; `proc_pid_status(5)`.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_the_bits_of_a_mask() {
        assert_eq!(ignored("SigBlk:\t00ff\nSigIgn:\t0000000000000001\n"), 1);
        assert_eq!(ignored("Name:\ttare\n"), 0);
    }
}
