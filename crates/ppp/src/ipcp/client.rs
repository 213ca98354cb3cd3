//! What a client asks for.

use core::net::Ipv4Addr;

use adit_wire::ipcp::NameServer;

/// The peer's address where it names none (an unnumbered server). It is never sent.
pub const PLACEHOLDER: Ipv4Addr = Ipv4Addr::new(10, 112, 112, 112);

/// A client's part of IPCP.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The only address that will do; `None` takes what the server gives.
    pub(super) address: Option<Ipv4Addr>,
    /// The only address that the server may have; `None` takes any.
    pub(super) peer: Option<Ipv4Addr>,
    pub(super) name_servers: Vec<NameServer>,
}

impl Client {
    /// A client that takes any address and asks for no name server.
    pub fn new() -> Client {
        Client::default()
    }

    /// Insist on this address.
    pub fn with_address(self, address: Option<Ipv4Addr>) -> Client {
        Client { address, ..self }
    }

    /// Insist on this address for the server.
    pub fn with_peer(self, address: Option<Ipv4Addr>) -> Client {
        Client { peer: address, ..self }
    }

    /// Ask for these name servers.
    pub fn with_name_servers(self, servers: impl IntoIterator<Item = NameServer>) -> Client {
        let mut name_servers: Vec<_> = servers.into_iter().collect();
        name_servers.sort_unstable_by_key(|server| server.kind());
        name_servers.dedup();
        Client { name_servers, ..self }
    }
}
