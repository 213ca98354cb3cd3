//! The server side of IP-Address: assigns the client an address, and sends its own.

use core::net::Ipv4Addr;
use std::sync::Arc;

use adit_diag::Code;
use adit_wire::cp::{ConfigOption, Opt};
use adit_wire::ipcp;

use crate::fsm::{Failure, Judge};
use crate::ipcp::context::Context;
use crate::ipcp::grant::AddressGrant;
use crate::negotiate::{Context as _, Negotiate};

#[derive(Clone, Debug)]
pub(in crate::ipcp) struct Given {
    grant: Arc<AddressGrant>,
    /// Whether the client accepts our address option.
    numbered: bool,
}

impl Given {
    pub(super) fn new(grant: &Arc<AddressGrant>) -> Given {
        Given { grant: Arc::clone(grant), numbered: true }
    }

    pub(super) fn agreed(&self) -> (Ipv4Addr, Ipv4Addr) {
        (self.grant.local, self.grant.peer)
    }
}

impl Negotiate<Context> for Given {
    type Wire<'a> = ipcp::Address;

    fn reset(&mut self, _: &mut Context) {
        self.numbered = true;
    }

    fn request(&self, out: &mut Vec<u8>) {
        if self.numbered {
            ipcp::Address(self.grant.local).emit(out);
        }
    }

    fn judge(&mut self, asked: ipcp::Address, naks_left: bool, context: &mut Context) -> Judge {
        let granted = self.grant.peer;
        if asked.0 == granted {
            return Judge::Ack;
        }
        if !naks_left {
            let detail = format!("the client insists on address {}, we give {granted}", asked.0);
            context.fail(Failure { code: Code::I02, detail });
        }
        Judge::nak(&ipcp::Address(granted))
    }

    /// A client must have an address, namely the one that is routed to it.
    fn missing(&mut self, naks_left: bool, context: &mut Context) -> Option<ipcp::Address> {
        let granted = self.grant.peer;
        if !naks_left {
            let detail = format!("the client takes no address, we give {granted}");
            context.fail(Failure { code: Code::I02, detail });
        }
        Some(ipcp::Address(granted))
    }

    // A Nak has no effect: a server does not accept an address for itself from a client.

    fn rejected(&mut self, _: &Opt<'_>, _: &mut Context) {
        self.numbered = false;
    }
}
