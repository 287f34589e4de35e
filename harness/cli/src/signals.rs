//! Ctrl-C, SIGTERM, SIGHUP and SIGQUIT: the user's wish to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

struct Listened([Signal; 4]);

impl Listened {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self([
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
            listen(SignalKind::quit())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup, quit] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            _ = quit.recv() => {}
        }
    }
}
