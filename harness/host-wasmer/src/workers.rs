//! The threads that run instances: one for each request that runs.
//!
//! Wasmer's calls return when the guest does, and a guest may compute or wait for as long as its deadline allows; so the
//! kernel shares the processors among those that run, and whoever waits keeps only a thread. The thread that was idle
//! last is the next to work: its stack, and the warm instances that it has, are in the caches.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a thread without work is kept.
const IDLE: Duration = Duration::from_secs(10);

/// Something to do on a thread, with what the thread keeps from one to the next. It returns what is to be done once the
/// thread is free for the next: telling that it is done, since whoever hears it may have more to do.
pub type Job<K> = Box<dyn FnOnce(&mut K) -> Tell + Send>;

/// Tells that something is done.
pub type Tell = Box<dyn FnOnce()>;

/// The threads. `K` is what each keeps.
pub struct Workers<K> {
    idle: Arc<Mutex<Idle<K>>>,
}

struct Idle<K> {
    next: u64,
    /// Those without work, by number; the last was busy last.
    threads: Vec<(u64, Sender<Job<K>>)>,
}

impl<K: Default + 'static> Default for Workers<K> {
    fn default() -> Self {
        Self { idle: Arc::new(Mutex::new(Idle { next: 0, threads: Vec::new() })) }
    }
}

impl<K: Default + 'static> Workers<K> {
    /// Does something on a thread of its own.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn run(&self, job: Job<K>) -> std::io::Result<()> {
        let mut idle = lock(&self.idle);
        let job = match idle.threads.pop() {
            None => job,
            // A thread takes itself off the list before it ends.
            Some((_, thread)) => match thread.send(job) {
                Ok(()) => return Ok(()),
                Err(unsent) => unsent.0,
            },
        };
        let number = idle.next;
        idle.next += 1;
        drop(idle);
        let (sender, receiver) = channel::<Job<K>>();
        let idle = Arc::clone(&self.idle);
        let work = move || {
            let mut kept = K::default();
            let mut tell = job(&mut kept);
            loop {
                lock(&idle).threads.push((number, sender.clone()));
                tell();
                let job = match receiver.recv_timeout(IDLE) {
                    Ok(job) => job,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        let mut idle = lock(&idle);
                        let listed = idle.threads.iter().position(|(listed, _)| *listed == number);
                        if let Some(listed) = listed {
                            idle.threads.remove(listed);
                            return;
                        }
                        drop(idle);
                        // Something was sent between the two.
                        match receiver.recv() {
                            Ok(job) => job,
                            Err(_) => return,
                        }
                    }
                };
                tell = job(&mut kept);
            }
        };
        std::thread::Builder::new().name("instance".into()).spawn(work)?;
        Ok(())
    }
}

fn lock<K>(idle: &Mutex<Idle<K>>) -> MutexGuard<'_, Idle<K>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_idle_is_used_again_with_what_it_kept() {
        let workers = Workers::<u32>::default();
        for count in 1..=3 {
            let (told, heard) = channel();
            workers
                .run(Box::new(move |kept| {
                    *kept += 1;
                    let count = *kept;
                    Box::new(move || told.send(count).unwrap())
                }))
                .unwrap();
            assert_eq!(heard.recv().unwrap(), count);
        }
    }

    #[test]
    fn those_that_wait_for_each_other_all_run() {
        let workers = Workers::<()>::default();
        let (told, heard) = channel();
        let barrier = Arc::new(std::sync::Barrier::new(20));
        for _ in 0..20 {
            let (told, barrier) = (told.clone(), Arc::clone(&barrier));
            workers
                .run(Box::new(move |()| {
                    barrier.wait();
                    Box::new(move || told.send(()).unwrap())
                }))
                .unwrap();
        }
        assert_eq!(heard.iter().take(20).count(), 20);
    }
}
