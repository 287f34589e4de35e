//! Who may run when more want to than may.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use crate::failure::Failure;

/// Room for a number of requests at once, of all services of a process.
#[derive(Debug, Clone)]
pub struct Room(Arc<Semaphore>);

/// A place in the [`Room`]; free again when it is dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "it is held for its drop")] OwnedSemaphorePermit);

impl Room {
    /// Room for so many.
    pub fn new(places: NonZeroU32) -> Self {
        let places = usize::try_from(places.get()).map_or(Semaphore::MAX_PERMITS, |n| n.min(Semaphore::MAX_PERMITS));
        Self(Arc::new(Semaphore::new(places)))
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// There was none before the deadline.
    pub async fn admit(&self, deadline: Instant) -> Result<Place, Failure> {
        if let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() {
            return Ok(Place(permit));
        }
        match timeout_at(deadline.into(), Arc::clone(&self.0).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Place(permit)),
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(Failure::TooBusy),
        }
    }
}
