//! The state that LCP's options share: the random number generator, and the signs of a looped-back link.

use adit_crypto::Rng;
use adit_diag::Code;

use super::config::LcpConfig;
use crate::fsm::Failure;
use crate::negotiate;

/// The number of signs that are taken for a loop: five rounds in which both request and reply were our own.
const LOOPED: u32 = 10;

#[derive(Debug)]
pub(crate) struct Context {
    pub(super) rng: Rng,
    /// Kept across negotiations, because a looped-back link restarts LCP again and again.
    loop_signs: u32,
    failure: Option<Box<Failure>>,
}

impl Context {
    pub(super) fn new(rng: Rng) -> Context {
        Context { rng, loop_signs: 0, failure: None }
    }

    /// Whether any packet of our own was received.
    pub(super) fn suspects_loop(&self) -> bool {
        self.loop_signs > 0
    }

    /// Counts a packet of our own that was received; fails once there are enough.
    pub(super) fn count_loop_sign(&mut self) {
        self.loop_signs += 1;
        if self.loop_signs >= LOOPED {
            self.fail_looped_back();
        }
    }

    /// Fails because the link is looped back.
    pub(super) fn fail_looped_back(&mut self) {
        let detail = format!("the line is looped back: {} packets of our own came back", self.loop_signs);
        negotiate::Context::fail(self, Failure { code: Code::L02, detail });
    }

    /// Reports that the peer is not this end.
    pub(super) fn clear_loop_signs(&mut self) {
        self.loop_signs = 0;
    }
}

impl negotiate::Context for Context {
    type Config = LcpConfig;

    fn failure(&mut self) -> &mut Option<Box<Failure>> {
        &mut self.failure
    }
}
