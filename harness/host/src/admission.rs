//! Who may run when more want to than may.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use crate::failure::Failure;

/// The number of requests that may run at once. Clones share it.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit(Arc<Semaphore>);

/// The right to run. It ends when this is dropped.
#[derive(Debug)]
pub struct Permit(#[expect(dead_code, reason = "it is held for its drop")] OwnedSemaphorePermit);

impl ConcurrencyLimit {
    /// At most so many at once.
    pub fn new(most: NonZeroU32) -> Self {
        let permits = usize::try_from(most.get()).map_or(Semaphore::MAX_PERMITS, |n| n.min(Semaphore::MAX_PERMITS));
        Self(Arc::new(Semaphore::new(permits)))
    }

    /// Waits for a permit. Who came first is served first.
    ///
    /// # Errors
    /// There was none before the deadline.
    pub async fn admit(&self, deadline: Instant) -> Result<Permit, Failure> {
        if let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() {
            return Ok(Permit(permit));
        }
        match timeout_at(deadline.into(), Arc::clone(&self.0).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Permit(permit)),
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(Failure::TooBusy),
        }
    }
}
