//! The state that IPV6CP's options share.

use adit_crypto::Rng;

use crate::fsm::Failure;
use crate::negotiate;

#[derive(Clone, Debug)]
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
    /// The configured identifier; 0 requests one from the peer.
    type Config = Option<u64>;

    fn failure(&mut self) -> &mut Option<Box<Failure>> {
        &mut self.failure
    }
}
