//! The client side of the name-server options.

use core::net::Ipv4Addr;

use adit_wire::cp::{ConfigOption, Opt};
use adit_wire::ipcp::{NameServer, NameServerAddress};

use super::agreed::Agreed;
use crate::fsm::Judge;
use crate::ipcp::client::Client;
use crate::ipcp::context::Context;
use crate::ipcp::usable::is_usable;
use crate::negotiate::Negotiate;

#[derive(Clone, Debug)]
pub(in crate::ipcp) struct Requested {
    configured: Vec<NameServer>,
    /// The servers in our request, in the order of [`NameServer::ALL`].
    asked: Vec<NameServerAddress>,
}

impl Requested {
    pub(super) fn new(client: &Client) -> Requested {
        Requested { configured: client.name_servers.clone(), asked: Vec::new() }
    }

    pub(super) fn agreed(&self) -> Agreed {
        let mut agreed = Agreed::default();
        for NameServerAddress { server, address } in
            self.asked.iter().filter(|asked| is_usable(asked.address))
        {
            match server {
                NameServer::PrimaryDns | NameServer::SecondaryDns => agreed.dns.push(*address),
                NameServer::PrimaryNbns | NameServer::SecondaryNbns => agreed.wins.push(*address),
            }
        }
        agreed
    }
}

impl Negotiate<Context> for Requested {
    type Wire<'a> = NameServerAddress;

    fn reset(&mut self, _: &mut Context) {
        let unknown =
            |server: &NameServer| NameServerAddress { server: *server, address: Ipv4Addr::UNSPECIFIED };
        self.asked = self.configured.iter().map(unknown).collect();
    }

    fn request(&self, out: &mut Vec<u8>) {
        self.asked.iter().for_each(|asked| asked.emit(out));
    }

    fn judge(&mut self, _: NameServerAddress, _: bool, _: &mut Context) -> Judge {
        Judge::Reject
    }

    fn naked(&mut self, wanted: NameServerAddress, _: &mut Context) {
        // A server that was not requested is ignored.
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.server == wanted.server) {
            *asked = wanted;
        }
    }

    fn rejected(&mut self, option: &Opt<'_>, _: &mut Context) {
        self.asked.retain(|asked| asked.server.kind() != option.kind);
    }
}
