//! The user's request to stop the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use adit_sys::poll::Waker;

/// Stops a test from another thread; clones stop the same test.
#[derive(Clone, Debug)]
pub struct Stop {
    requested: Arc<AtomicBool>,
    waker: Waker,
}

impl Stop {
    /// Creates a handle.
    ///
    /// # Errors
    /// The process is out of file descriptors.
    pub fn new() -> adit_sys::Result<Stop> {
        Ok(Stop { requested: Arc::default(), waker: Waker::new()? })
    }

    /// Requests the stop: the test closes the call in order and returns its findings so far.
    pub fn request(&self) {
        self.requested.store(true, Ordering::Relaxed);
        self.waker.wake();
    }

    /// Whether a stop was requested.
    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }
}
