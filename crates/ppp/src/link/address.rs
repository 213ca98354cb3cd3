//! Address assignment: a server obtains the client's address before IPCP begins, a client requests one from
//! its peer in IPCP.

use std::sync::Arc;
use std::time::Instant;

use adit_diag::Code;
use adit_wire::ipcp::NameServer;

use super::network::{release, started};
use super::state::{Address, Phase};
use super::{AddressGrant, Link, LinkEvent, Question, Who};
use crate::fsm::Fsm;
use crate::ipcp::{Client, Ipcp};

impl Link {
    /// Starts IPCP as soon as it may run and the address is known, and passes it the held packet.
    pub(super) fn open_ipcp(&mut self, now: Instant) -> bool {
        let client = self.ipcp_client();
        let Phase::Network(network) = &mut self.phase else { return false };
        if !network.is_gate_open() {
            return false;
        }
        if network.ipcp.is_none() {
            let ipcp = match &network.address {
                Address::Granted(grant) => Ipcp::server(Arc::clone(grant)),
                Address::Client => Ipcp::client(client),
                Address::Unasked(at) if network.held_ipcp.is_some() || now >= *at => {
                    self.ask_for_address();
                    return true;
                }
                Address::Unasked(_) | Address::Asked => return false,
            };
            let fsm = Fsm::new(ipcp, self.config.timers);
            network.ipcp = Some(started(fsm, now, self.lcp.protocol().agreed().peer_mru));
        }
        release(now, network.ipcp.as_mut(), &mut network.held_ipcp)
    }

    fn ipcp_client(&self) -> Client {
        let wanted = |server: &NameServer| match server {
            NameServer::PrimaryDns | NameServer::SecondaryDns => self.config.request_dns,
            NameServer::PrimaryNbns | NameServer::SecondaryNbns => self.config.request_wins,
        };
        Client::new()
            .with_address(self.config.address)
            .with_peer(self.config.peer_address)
            .with_name_servers(NameServer::ALL.into_iter().filter(wanted))
    }

    fn ask_for_address(&mut self) {
        let id = self.next_question();
        if let Phase::Network(network) = &mut self.phase {
            network.address = Address::Asked;
            self.address_wanted = Some(id);
            let wanted = network.wanted_address();
            self.output.push_event(LinkEvent::Ask(id, Question::Address { wanted }));
        }
    }

    pub(super) fn on_address(&mut self, now: Instant, grant: Option<AddressGrant>) {
        let Phase::Network(network) = &mut self.phase else { return };
        match grant {
            Some(grant) => {
                let grant = Arc::new(grant);
                self.granted = Some((Arc::clone(&network.name), Arc::clone(&grant)));
                network.address = Address::Granted(grant);
            }
            None => self.end(now, Who::Us, Some(Code::I01), "there is no address for the client".to_owned()),
        }
    }
}
