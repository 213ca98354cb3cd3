//! The state that IPCP's options share.

use std::sync::Arc;

use super::client::Client;
use super::grant::AddressGrant;
use crate::fsm::Failure;
use crate::negotiate;

/// The configuration of either side.
#[derive(Debug)]
pub(crate) enum Config {
    Server(Arc<AddressGrant>),
    Client(Client),
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
