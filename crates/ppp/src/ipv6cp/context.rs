//! What IPV6CP's options share.

use adit_crypto::Rng;

use crate::fsm::Failure;
use crate::negotiate;

#[derive(Debug)]
pub(crate) struct Context {
    pub(super) rng: Rng,
    failure: Option<Box<Failure>>,
}

impl Context {
    pub(super) fn new(rng: Rng) -> Context {
        Context { rng, failure: None }
    }
}

impl negotiate::Context for Context {
    /// Our identifier, if it is configured; 0 asks the peer for one.
    type Config = Option<u64>;

    fn failure(&mut self) -> &mut Option<Box<Failure>> {
        &mut self.failure
    }
}
