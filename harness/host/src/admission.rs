//! Who may run when more want to than may.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use crate::failure::Failure;

/// The number of requests that may run at once, and how many of them while their bodies are still under way. Clones share it.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit {
    running: Arc<Semaphore>,
    under_way: Arc<Semaphore>,
}

/// The right to run. It ends when this is dropped.
pub struct Permit {
    /// Held for its drop.
    _running: Place,
    /// What else ends with the run.
    with: Option<Box<dyn Send>>,
}

/// A place among those that may run, or among those that may run while their bodies are under way.
pub(crate) type Place = OwnedSemaphorePermit;

impl Permit {
    /// Lets something end with the run.
    pub(crate) fn hold(&mut self, with: Box<dyn Send>) {
        self.with = Some(with);
    }
}

impl ConcurrencyLimit {
    /// At most so many at once, and half of them, but at least one, with bodies under way: their clients may let them wait for as
    /// long as they like, and must not keep the others from running.
    pub fn new(most: NonZeroU32) -> Self {
        let most = usize::try_from(most.get()).map_or(Semaphore::MAX_PERMITS, |n| n.min(Semaphore::MAX_PERMITS));
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { running: semaphore(most), under_way: semaphore((most / 2).max(1)) }
    }

    /// Waits for a permit to run. Who came first is served first.
    ///
    /// # Errors
    /// There was none before the deadline.
    pub(crate) async fn admit(&self, deadline: Instant) -> Result<Permit, Failure> {
        Ok(Permit { _running: place(&self.running, deadline).await?, with: None })
    }

    /// Waits for a place to run while the body is under way.
    ///
    /// # Errors
    /// There was none before the deadline.
    pub(crate) async fn admit_under_way(&self, deadline: Instant) -> Result<Place, Failure> {
        place(&self.under_way, deadline).await
    }
}

async fn place(semaphore: &Arc<Semaphore>, deadline: Instant) -> Result<Place, Failure> {
    if let Ok(place) = Arc::clone(semaphore).try_acquire_owned() {
        return Ok(place);
    }
    match timeout_at(deadline.into(), Arc::clone(semaphore).acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        // The semaphore is never closed.
        Ok(Err(_)) | Err(_) => Err(Failure::TooBusy),
    }
}
