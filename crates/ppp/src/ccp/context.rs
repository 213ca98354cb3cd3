//! The state that CCP's options share.

use adit_diag::Side;
use adit_wire::ccp::Mppe;

use super::policy::{Mode, Stateful};
use crate::fsm::Failure;
use crate::negotiate;

/// The allowed parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(super) side: Side,
    pub(super) mode: Mode,
    pub(super) stateful: Stateful,
    /// The strengths that the policy and the keys allow.
    pub(super) allowed: Mppe,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    failure: Option<Box<Failure>>,
}

impl negotiate::Context for Context {
    type Config = Config;

    fn failure(&mut self) -> &mut Option<Box<Failure>> {
        &mut self.failure
    }
}
