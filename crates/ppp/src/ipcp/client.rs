//! The options that a client requests.

use core::net::Ipv4Addr;

use adit_wire::ipcp::NameServer;

/// The address that stands for a peer that names none (an unnumbered server). It is never sent.
pub const PLACEHOLDER: Ipv4Addr = Ipv4Addr::new(10, 112, 112, 112);

/// The configuration of the client side of IPCP.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The required address; `None` accepts what the server assigns.
    pub(super) address: Option<Ipv4Addr>,
    /// The required address of the server; `None` accepts any.
    pub(super) peer: Option<Ipv4Addr>,
    pub(super) name_servers: Vec<NameServer>,
}

impl Client {
    /// Creates a configuration that accepts any address and requests no name server.
    pub fn new() -> Client {
        Client::default()
    }

    /// Requires this address.
    pub fn with_address(self, address: Option<Ipv4Addr>) -> Client {
        Client { address, ..self }
    }

    /// Requires this address of the server.
    pub fn with_peer(self, address: Option<Ipv4Addr>) -> Client {
        Client { peer: address, ..self }
    }

    /// Requests these name servers.
    pub fn with_name_servers(self, servers: impl IntoIterator<Item = NameServer>) -> Client {
        let mut name_servers: Vec<_> = servers.into_iter().collect();
        name_servers.sort_unstable_by_key(|server| server.kind());
        name_servers.dedup();
        Client { name_servers, ..self }
    }
}
