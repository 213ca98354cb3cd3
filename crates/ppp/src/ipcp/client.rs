//! The side that asks for an address.

use core::net::Ipv4Addr;

use adit_diag::Code;
use adit_wire::cp::Opt;
use adit_wire::ipcp::{IpcpOption, NameServer, kind};

use super::address::is_usable;
use super::{Agreed, PLACEHOLDER};
use crate::fsm::{Failure, Judge};

/// A client's part of IPCP.
#[derive(Debug)]
pub struct Client {
    /// The only address that will do; `None` takes what the server gives.
    fixed: Option<Ipv4Addr>,
    /// The only address that the server may have; `None` takes any.
    peer_wish: Option<Ipv4Addr>,
    ask_for: Vec<NameServer>,
    /// The address in our request, and, once acknowledged, ours.
    own: Option<Ipv4Addr>,
    /// The servers in our request, in the order of [`NameServer::ALL`].
    servers: Vec<(NameServer, Ipv4Addr)>,
    /// The server's address; `None` while it named none.
    peer: Option<Ipv4Addr>,
    /// What the server wanted to give us instead of the fixed address.
    offered: Option<Ipv4Addr>,
}

impl Client {
    /// A client that takes any address and asks for no name server.
    pub fn new() -> Client {
        Client {
            fixed: None,
            peer_wish: None,
            ask_for: Vec::new(),
            own: None,
            servers: Vec::new(),
            peer: None,
            offered: None,
        }
    }

    /// Insist on this address.
    pub fn with_address(self, address: Option<Ipv4Addr>) -> Client {
        Client { fixed: address, ..self }
    }

    /// Insist on this address for the server.
    pub fn with_peer(self, address: Option<Ipv4Addr>) -> Client {
        Client { peer_wish: address, ..self }
    }

    /// Ask for these name servers.
    pub fn with_name_servers(self, servers: impl IntoIterator<Item = NameServer>) -> Client {
        let mut ask_for: Vec<_> = servers.into_iter().collect();
        ask_for.sort_unstable_by_key(|server| server.kind());
        ask_for.dedup();
        Client { ask_for, ..self }
    }

    pub(super) fn agreed(&self) -> Agreed {
        let named = |kinds: [NameServer; 2]| {
            let known = |(server, address): &(NameServer, Ipv4Addr)| {
                (kinds.contains(server) && is_usable(*address)).then_some(*address)
            };
            self.servers.iter().filter_map(known).collect()
        };
        Agreed {
            local: self.own.or(self.fixed).unwrap_or(Ipv4Addr::UNSPECIFIED),
            peer: self.peer.or(self.peer_wish).unwrap_or(PLACEHOLDER),
            dns: named([NameServer::PrimaryDns, NameServer::SecondaryDns]),
            wins: named([NameServer::PrimaryNbns, NameServer::SecondaryNbns]),
        }
    }

    pub(super) fn reset(&mut self) {
        self.own = Some(self.fixed.unwrap_or(Ipv4Addr::UNSPECIFIED));
        self.servers = self.ask_for.iter().map(|server| (*server, Ipv4Addr::UNSPECIFIED)).collect();
        self.peer = None;
        self.offered = None;
    }

    pub(super) fn request(&self, out: &mut Vec<u8>) {
        if let Some(own) = self.own {
            IpcpOption::Address(own).emit(out);
        }
        for (server, address) in &self.servers {
            IpcpOption::NameServer(*server, *address).emit(out);
        }
    }

    pub(super) fn judge(&self, option: IpcpOption<'_>) -> Judge {
        match (option, self.peer_wish) {
            (IpcpOption::Address(address), Some(wish)) if address != wish => {
                Judge::Nak(wish.octets().to_vec())
            }
            // An address that no host can have, or a server that wants one from us, which we do not have.
            (IpcpOption::Address(address), _) if !is_usable(address) => Judge::Reject,
            (IpcpOption::Address(_), _) => Judge::Ack,
            _ => Judge::Reject,
        }
    }

    pub(super) fn accepted(&mut self, request: &[Opt<'_>]) {
        self.peer = request.iter().find_map(|option| match IpcpOption::parse(option) {
            Ok(IpcpOption::Address(address)) => Some(address),
            _ => None,
        });
    }

    /// The server agreed to our request, which must hold an address by now.
    pub(super) fn acked(&self) -> Option<Failure> {
        match self.own {
            Some(own) if !is_usable(own) => {
                let detail = format!("the server agreed to {own} for us: it has no address to give");
                Some(Failure { code: Code::I01, detail })
            }
            _ => None,
        }
    }

    pub(super) fn naked(&mut self, options: &[Opt<'_>]) {
        for option in options.iter().flat_map(IpcpOption::parse) {
            match option {
                IpcpOption::Address(address) => {
                    self.offered = Some(address);
                    if self.fixed.is_none() && self.own.is_some() && is_usable(address) {
                        self.own = Some(address);
                    }
                }
                IpcpOption::NameServer(server, address) => {
                    // A server that was not asked for is none of our wishes.
                    if let Some((_, own)) = self.servers.iter_mut().find(|(own, _)| *own == server) {
                        *own = address;
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn rejected(&mut self, options: &[Opt<'_>]) -> Option<Failure> {
        self.servers.retain(|(server, _)| options.iter().all(|option| option.kind != server.kind()));
        if options.iter().all(|option| option.kind != kind::ADDRESS) {
            return None;
        }
        match (self.fixed, self.offered) {
            // The server does not want to hear our address, which it may know: use it unsaid.
            (Some(_), None) => {
                self.own = None;
                None
            }
            (Some(fixed), Some(offered)) => {
                let detail = format!("the server does not give us {fixed}, it offers {offered}");
                Some(Failure { code: Code::I02, detail })
            }
            (None, Some(offered)) => {
                let detail = format!("the server offers us {offered} and agrees to nothing");
                Some(Failure { code: Code::I02, detail })
            }
            (None, None) => {
                let detail = "the server gives us no address".to_owned();
                Some(Failure { code: Code::I02, detail })
            }
        }
    }
}

impl Default for Client {
    fn default() -> Client {
        Client::new()
    }
}
