//! The user's wish to end a run, as every thread can see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// False until the user ends the run; all clones turn true together.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends the run.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether the run is to end.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Why waiting makes no sense any more, for those who ask in words; `None` while it does.
    pub fn given_up(&self) -> Option<String> {
        self.is_set().then(|| "interrupted".to_owned())
    }

    /// The flag itself, for code that knows nothing of runs.
    pub fn flag(&self) -> &AtomicBool {
        &self.0
    }
}
