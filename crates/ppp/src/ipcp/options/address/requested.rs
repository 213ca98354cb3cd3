//! The client side of IP-Address: requests an address, and receives that of the server.

use core::net::Ipv4Addr;

use adit_diag::Code;
use adit_wire::cp::{ConfigOption, Opt};
use adit_wire::ipcp;

use crate::fsm::{Failure, Judge};
use crate::ipcp::client::{Client, PLACEHOLDER};
use crate::ipcp::context::Context;
use crate::ipcp::usable::is_usable;
use crate::negotiate::{Context as _, Negotiate};

#[derive(Clone, Debug)]
pub(in crate::ipcp) struct Requested {
    /// The required address; `None` accepts what the server assigns.
    fixed: Option<Ipv4Addr>,
    /// The required address of the server; `None` accepts any.
    fixed_peer: Option<Ipv4Addr>,
    /// The address in our request, and our address once it is acknowledged.
    own: Option<Ipv4Addr>,
    /// The server's address; `None` until the server sends one.
    peer: Option<Ipv4Addr>,
    /// The address that the server offered in place of the required one.
    offered: Option<Ipv4Addr>,
}

impl Requested {
    pub(super) fn new(client: &Client) -> Requested {
        Requested { fixed: client.address, fixed_peer: client.peer, own: None, peer: None, offered: None }
    }

    pub(super) fn agreed(&self) -> (Ipv4Addr, Ipv4Addr) {
        let own = self.own.or(self.fixed).unwrap_or(Ipv4Addr::UNSPECIFIED);
        (own, self.peer.or(self.fixed_peer).unwrap_or(PLACEHOLDER))
    }
}

impl Negotiate<Context> for Requested {
    type Wire<'a> = ipcp::Address;

    fn reset(&mut self, _: &mut Context) {
        self.own = Some(self.fixed.unwrap_or(Ipv4Addr::UNSPECIFIED));
        self.peer = None;
        self.offered = None;
    }

    fn request(&self, out: &mut Vec<u8>) {
        if let Some(own) = self.own {
            ipcp::Address(own).emit(out);
        }
    }

    fn judge(&mut self, asked: ipcp::Address, _: bool, _: &mut Context) -> Judge {
        match self.fixed_peer {
            Some(fixed) if asked.0 != fixed => Judge::nak(&ipcp::Address(fixed)),
            // The address is not usable, or the server requests one from us, which we cannot assign.
            _ if !is_usable(asked.0) => Judge::Reject,
            _ => Judge::Ack,
        }
    }

    // A server without an address of its own is unnumbered, which is allowed.

    fn accepted(&mut self, asked: Option<ipcp::Address>, _: &mut Context) {
        self.peer = asked.map(|asked| asked.0);
    }

    /// Handles the server's Ack of our request, which must contain an address by now.
    fn acked(&mut self, context: &mut Context) {
        if let Some(own) = self.own
            && !is_usable(own)
        {
            let detail = format!("the server agreed to {own} for us: it has no address to give");
            context.fail(Failure { code: Code::I01, detail });
        }
    }

    fn naked(&mut self, wanted: ipcp::Address, _: &mut Context) {
        self.offered = Some(wanted.0);
        if self.fixed.is_none() && self.own.is_some() && is_usable(wanted.0) {
            self.own = Some(wanted.0);
        }
    }

    fn rejected(&mut self, _: &Opt<'_>, context: &mut Context) {
        let detail = match (self.fixed, self.offered) {
            // The server rejects our address option, perhaps because it knows the address: use it without the
            // option.
            (Some(_), None) => {
                self.own = None;
                return;
            }
            (Some(fixed), Some(offered)) => {
                format!("the server does not give us {fixed}, it offers {offered}")
            }
            (None, Some(offered)) => format!("the server offers us {offered} and agrees to nothing"),
            (None, None) => "the server gives us no address".to_owned(),
        };
        context.fail(Failure { code: Code::I02, detail });
    }
}
