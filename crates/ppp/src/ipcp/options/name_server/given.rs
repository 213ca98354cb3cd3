//! The server side of the name-server options: a client that asks gets the configured servers.

use core::net::Ipv4Addr;
use std::sync::Arc;

use adit_wire::ipcp::{NameServer, NameServerAddress};

use super::agreed::Agreed;
use crate::fsm::Judge;
use crate::ipcp::context::Context;
use crate::ipcp::grant::AddressGrant;
use crate::negotiate::Negotiate;

#[derive(Clone, Debug)]
pub(in crate::ipcp) struct Given(Arc<AddressGrant>);

impl Given {
    pub(super) fn new(grant: &Arc<AddressGrant>) -> Given {
        Given(Arc::clone(grant))
    }

    pub(super) fn agreed(&self) -> Agreed {
        Agreed { dns: self.0.dns.clone(), wins: self.0.wins.clone() }
    }

    fn configured(&self, server: NameServer) -> Option<Ipv4Addr> {
        let AddressGrant { dns, wins, .. } = &*self.0;
        match server {
            NameServer::PrimaryDns => dns.first(),
            NameServer::SecondaryDns => dns.get(1),
            NameServer::PrimaryNbns => wins.first(),
            NameServer::SecondaryNbns => wins.get(1),
        }
        .copied()
    }
}

impl Negotiate<Context> for Given {
    type Wire<'a> = NameServerAddress;

    fn reset(&mut self, _: &mut Context) {}

    fn request(&self, _: &mut Vec<u8>) {}

    fn judge(&mut self, asked: NameServerAddress, _: bool, _: &mut Context) -> Judge {
        match self.configured(asked.server) {
            Some(address) if address == asked.address => Judge::Ack,
            Some(address) => Judge::nak(&NameServerAddress { address, ..asked }),
            None => Judge::Reject,
        }
    }
}
