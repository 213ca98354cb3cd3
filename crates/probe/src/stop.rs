//! The user's request that the test ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use adit_sys::poll::Waker;

/// Ends a test from another thread; clones end the same one.
#[derive(Clone, Debug)]
pub struct Stop {
    requested: Arc<AtomicBool>,
    waker: Waker,
}

impl Stop {
    /// A new one.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn new() -> adit_sys::Result<Stop> {
        Ok(Stop { requested: Arc::default(), waker: Waker::new()? })
    }

    /// Ends the test: it closes the call in order and returns its findings so far.
    pub fn request(&self) {
        self.requested.store(true, Ordering::Relaxed);
        self.waker.wake();
    }

    /// Whether that was requested.
    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }
}
