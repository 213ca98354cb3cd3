//! The user's request that the test ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use adit_sys::poll::Waker;

/// Ends a test from another thread; clones end the same one.
#[derive(Clone, Debug)]
pub struct Stop {
    wished: Arc<AtomicBool>,
    waker: Waker,
}

impl Stop {
    /// A new one.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn new() -> adit_sys::Result<Stop> {
        Ok(Stop { wished: Arc::default(), waker: Waker::new()? })
    }

    /// The test is to say good-bye and tell what it found so far.
    pub fn wish(&self) {
        self.wished.store(true, Ordering::Relaxed);
        self.waker.wake();
    }

    /// Whether that was wished.
    pub fn is_wished(&self) -> bool {
        self.wished.load(Ordering::Relaxed)
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }
}
