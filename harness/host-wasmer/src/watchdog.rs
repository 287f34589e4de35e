//! The clock of the deadlines: ends what computes for too long, and lets go of answers that wait for a computation.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use wasmer::Interrupter;

use crate::reply::Reply;

/// How often it looks: as often as the other host interrupts what runs.
const TICK: Duration = Duration::from_millis(10);

/// What runs.
#[derive(Default)]
pub struct Watchdog {
    running: Mutex<Vec<Option<Watched>>>,
}

struct Watched {
    interrupter: Interrupter,
    deadline: Instant,
    /// The answer to let go of; `None` if the answer is what the call returns.
    reply: Option<Arc<Reply>>,
    /// Whether it ran at the last tick already.
    seen: bool,
    /// Whether it was interrupted.
    interrupted: bool,
}

/// Watches one call for as long as it is held.
pub struct Watch<'a> {
    dog: &'a Watchdog,
    slot: usize,
}

impl Watchdog {
    /// Starts the clock.
    ///
    /// # Errors
    /// The system refuses the thread.
    pub fn start() -> anyhow::Result<Arc<Self>> {
        let dog = Arc::new(Self::default());
        let weak = Arc::downgrade(&dog);
        std::thread::Builder::new()
            .name("watchdog".into())
            .stack_size(64 * 1024)
            .spawn(move || {
                while let Some(dog) = weak.upgrade() {
                    dog.tick();
                    drop(dog);
                    std::thread::sleep(TICK);
                }
            })
            .context("the thread that watches deadlines does not start")?;
        Ok(dog)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Watched>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a call from now on.
    pub fn watch(&self, interrupter: Interrupter, deadline: Instant, reply: Option<Arc<Reply>>) -> Watch<'_> {
        let watched = Some(Watched { interrupter, deadline, reply, seen: false, interrupted: false });
        let mut running = self.lock();
        let slot = match running.iter().position(Option::is_none) {
            Some(slot) => {
                running[slot] = watched;
                slot
            }
            None => {
                running.push(watched);
                running.len() - 1
            }
        };
        Watch { dog: self, slot }
    }

    fn tick(&self) {
        let now = Instant::now();
        for watched in self.lock().iter_mut().flatten() {
            // An interrupt may be missed, so it is repeated until the call has ended. What waits in the host ends itself.
            if now >= watched.deadline {
                watched.interrupter.interrupt();
                watched.interrupted = true;
            }
            if let (true, Some(reply)) = (watched.seen, &watched.reply) {
                reply.release();
            }
            watched.seen = true;
        }
    }
}

impl Watch<'_> {
    /// Ends the watch of a call that has ended. Returns whether it was interrupted: the error that it ended with need not say
    /// so, since the runtime names the trap that the instruction may give at which it was (a memory access, mostly).
    pub fn end(self) -> bool {
        self.dog.lock()[self.slot].as_ref().is_some_and(|watched| watched.interrupted)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.dog.lock()[self.slot] = None;
    }
}
