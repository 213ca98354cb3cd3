//! What LCP's options share: random numbers, and the signs of a line that loops back.

use adit_crypto::Rng;
use adit_diag::Code;

use super::config::LcpConfig;
use crate::fsm::Failure;
use crate::negotiate;

/// Signs of a loop after which there is one: five rounds of a request and a reply that both were our own.
const LOOPED: u32 = 10;

#[derive(Debug)]
pub(crate) struct Context {
    pub(super) rng: Rng,
    /// They outlive a negotiation: a looped line restarts LCP again and again.
    loop_signs: u32,
    failure: Option<Box<Failure>>,
}

impl Context {
    pub(super) fn new(rng: Rng) -> Context {
        Context { rng, loop_signs: 0, failure: None }
    }

    /// Whether anything of our own has come back.
    pub(super) fn suspects_loop(&self) -> bool {
        self.loop_signs > 0
    }

    /// Something of our own came back; the failure once that has happened often enough.
    pub(super) fn count_loop_sign(&mut self) {
        self.loop_signs += 1;
        if self.loop_signs >= LOOPED {
            self.fail_looped_back();
        }
    }

    /// The line is looped back.
    pub(super) fn fail_looped_back(&mut self) {
        let detail = format!("the line is looped back: {} packets of our own came back", self.loop_signs);
        negotiate::Context::fail(self, Failure { code: Code::L02, detail });
    }

    /// The peer has shown that it is another one.
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
