//! Instances that serve more than one request: how long they are kept, and how many wait.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::settings::Common;

/// How long instances are kept, and how many may wait for a request: of all services of a process together.
#[derive(Debug)]
pub struct ReusePolicy {
    requests: u32,
    most: u32,
    waiting: AtomicU32,
}

/// An instance with the number of requests that it has served.
#[derive(Debug)]
pub struct Pooled<I> {
    /// The instance.
    pub instance: I,
    served: u32,
}

/// An instance that waits for a request. It counts towards [`ReusePolicy`] until it is taken or dropped.
#[derive(Debug)]
pub struct Warm<I> {
    pooled: Pooled<I>,
    /// Held for its drop.
    _counted: Counted,
}

#[derive(Debug)]
struct Counted(Arc<ReusePolicy>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ReusePolicy {
    /// As the settings say. As many may wait as may run.
    pub fn new(settings: &Common) -> Arc<Self> {
        Arc::new(Self {
            requests: settings.reuse.get(),
            most: settings.max_instances.get(),
            waiting: AtomicU32::new(0),
        })
    }

    /// Takes back an instance that has served one request more, to wait for the next. `None`, and it is dropped, if it has
    /// served all that it may or if too many wait already.
    pub fn keep<I>(self: &Arc<Self>, used: Pooled<I>) -> Option<Warm<I>> {
        let served = used.served + 1;
        if served >= self.requests {
            return None;
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Warm { pooled: Pooled { served, ..used }, _counted: Counted(Arc::clone(self)) })
    }
}

impl<I> Pooled<I> {
    /// An instance that has served nothing.
    pub fn fresh(instance: I) -> Self {
        Self { instance, served: 0 }
    }
}

impl<I> Warm<I> {
    /// Takes the instance for a request.
    pub fn take(self) -> Pooled<I> {
        self.pooled
    }
}

/// The warm instances of one service, for all threads.
#[derive(Debug)]
pub struct Pool<I> {
    policy: Arc<ReusePolicy>,
    /// The last used one is the first to be taken, since its memory is in the caches.
    warm: Mutex<Vec<Warm<I>>>,
}

impl<I> Pool<I> {
    /// An empty pool.
    pub fn new(policy: &Arc<ReusePolicy>) -> Self {
        Self { policy: Arc::clone(policy), warm: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Warm<I>>> {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An instance that waits, or `None`.
    pub fn take(&self) -> Option<Pooled<I>> {
        let warm = self.lock().pop();
        warm.map(Warm::take)
    }

    /// Keeps an instance for the next request, or drops it.
    pub fn keep(&self, used: Pooled<I>) {
        if let Some(warm) = self.policy.keep(used) {
            self.lock().push(warm);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn pool(reuse: u32, most: u32) -> Pool<&'static str> {
        let common: Common = crate::settings::defaults();
        let number = |n| NonZeroU32::new(n).unwrap();
        Pool::new(&ReusePolicy::new(&Common { reuse: number(reuse), max_instances: number(most), ..common }))
    }

    #[test]
    fn an_instance_is_dropped_after_so_many_requests() {
        let pool = pool(2, 10);
        assert!(pool.take().is_none());
        pool.keep(Pooled::fresh("it"));
        let again = pool.take().unwrap();
        assert_eq!(again.instance, "it");
        pool.keep(again);
        assert!(pool.take().is_none(), "it has served two");
    }

    #[test]
    fn not_more_wait_than_may_of_all_services_together() {
        let one = pool(10, 2);
        let other = Pool::new(&one.policy);
        one.keep(Pooled::fresh("first"));
        other.keep(Pooled::fresh("second"));
        one.keep(Pooled::fresh("third"));
        assert_eq!(one.take().unwrap().instance, "first");
        assert!(one.take().is_none(), "the third was one too many");
        drop(other);
        one.keep(Pooled::fresh("fourth"));
        one.keep(Pooled::fresh("fifth"));
        assert_eq!(one.take().unwrap().instance, "fifth", "what waited in the other pool is counted no more");
    }
}
