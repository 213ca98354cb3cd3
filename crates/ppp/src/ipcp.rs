//! IPCP (RFC 1332, 1877): addresses and name servers. A server assigns them, a client requests them.

mod client;
mod context;
mod grant;
mod options;
mod sided;
mod usable;

use core::net::Ipv4Addr;
use std::sync::Arc;

use adit_diag::Code;
use adit_wire::Protocol;
use adit_wire::cp::Opt;
use adit_wire::ipcp::IpcpOption;

pub use client::{Client, PLACEHOLDER};
pub use grant::AddressGrant;

use crate::negotiate::Negotiation;
use context::{Config, Context};
use options::Options;

/// The addresses and servers that both ends agreed on. Valid while IPCP is Opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The address of our end.
    pub local: Ipv4Addr,
    /// The peer's address.
    pub peer: Ipv4Addr,
    /// DNS servers, the first preferred.
    pub dns: Vec<Ipv4Addr>,
    /// WINS servers, the first preferred.
    pub wins: Vec<Ipv4Addr>,
}

/// IPCP's options and decisions, for [`Fsm`](crate::fsm::Fsm).
#[derive(Clone, Debug)]
pub struct Ipcp {
    options: Options,
    context: Context,
}

impl Ipcp {
    /// Creates the server side, which assigns addresses.
    pub fn server(grant: impl Into<Arc<AddressGrant>>) -> Ipcp {
        Ipcp::new(&Config::Server(grant.into()))
    }

    /// Creates the client side, which requests addresses.
    pub fn client(client: Client) -> Ipcp {
        Ipcp::new(&Config::Client(client))
    }

    fn new(config: &Config) -> Ipcp {
        let mut context = Context::default();
        Ipcp { options: Options::new(config, &mut context), context }
    }

    /// What was agreed; valid while IPCP is Opened.
    pub fn agreed(&self) -> Agreed {
        let (local, peer) = self.options.address.agreed();
        let servers = self.options.name_servers.agreed();
        Agreed { local, peer, dns: servers.dns, wins: servers.wins }
    }
}

impl Negotiation for Ipcp {
    const PROTOCOL: Protocol = Protocol::Ipcp;
    const NO_AGREEMENT: Code = Code::I05;
    type Options = Options;

    fn options(&self) -> &Options {
        &self.options
    }

    fn parts(&mut self) -> (&mut Options, &mut Context) {
        (&mut self.options, &mut self.context)
    }

    fn show(option: &Opt<'_>) -> String {
        IpcpOption::parse(option).map_or_else(|_| option.to_string(), |known| known.to_string())
    }
}

#[cfg(test)]
mod tests;
