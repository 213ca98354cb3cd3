//! IPCP (RFC 1332, 1877): addresses and name servers. A server hands them out, a client asks for them.

mod address;
mod client;
mod server;

use core::net::Ipv4Addr;
use std::sync::Arc;

use adit_diag::Code;
use adit_wire::Protocol;
use adit_wire::cp::Opt;
use adit_wire::ipcp::IpcpOption;

pub use client::Client;
pub use server::{AddressGrant, Server};

use crate::fsm::{ControlProtocol, Failure, Judge};

/// The peer's address where it names none (an unnumbered server). It is never sent.
pub const PLACEHOLDER: Ipv4Addr = Ipv4Addr::new(10, 112, 112, 112);

/// What the two ends agreed on. It holds while IPCP is Opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Our end's address.
    pub local: Ipv4Addr,
    /// The peer's.
    pub peer: Ipv4Addr,
    /// DNS servers, the first preferred.
    pub dns: Vec<Ipv4Addr>,
    /// WINS servers, the first preferred.
    pub wins: Vec<Ipv4Addr>,
}

/// IPCP's options and decisions, for [`Fsm`](crate::fsm::Fsm).
#[derive(Debug)]
pub struct Ipcp {
    side: Side,
    failure: Option<Box<Failure>>,
}

#[derive(Debug)]
enum Side {
    Server(Server),
    /// Boxed: a server has thousands of the other.
    Client(Box<Client>),
}

impl Ipcp {
    /// The side that hands out addresses.
    pub fn server(grant: impl Into<Arc<AddressGrant>>) -> Ipcp {
        Ipcp { side: Side::Server(Server::new(grant.into())), failure: None }
    }

    /// The side that asks for them.
    pub fn client(client: Client) -> Ipcp {
        Ipcp { side: Side::Client(Box::new(client)), failure: None }
    }

    /// What is agreed; meaningful while IPCP is Opened.
    pub fn agreed(&self) -> Agreed {
        match &self.side {
            Side::Server(server) => server.agreed(),
            Side::Client(client) => client.agreed(),
        }
    }

    /// Keeps the first failure.
    fn fail(&mut self, failure: Option<Failure>) {
        if self.failure.is_none() {
            self.failure = failure.map(Box::new);
        }
    }
}

impl ControlProtocol for Ipcp {
    const PROTOCOL: Protocol = Protocol::Ipcp;
    const NO_AGREEMENT: Code = Code::I05;

    fn reset(&mut self) {
        self.failure = None;
        match &mut self.side {
            Side::Server(server) => server.reset(),
            Side::Client(client) => client.reset(),
        }
    }

    fn request(&self, out: &mut Vec<u8>) {
        match &self.side {
            Side::Server(server) => server.request(out),
            Side::Client(client) => client.request(out),
        }
    }

    fn judge(&mut self, option: &Opt<'_>, naks_left: bool) -> Judge {
        // Compression, the old IP-Addresses, Mobile-IPv4 and everything unreadable: not here.
        let Ok(option) = IpcpOption::parse(option) else { return Judge::Reject };
        match &mut self.side {
            Side::Server(server) => {
                let (judge, failure) = server.judge(option, naks_left);
                self.fail(failure);
                judge
            }
            Side::Client(client) => client.judge(option),
        }
    }

    fn missing(&mut self, request: &[Opt<'_>], naks_left: bool) -> Vec<u8> {
        match &self.side {
            Side::Server(server) => {
                let (options, failure) = server.missing(request, naks_left);
                self.fail(failure);
                options
            }
            // A server without an address of its own is unnumbered, which does no harm.
            Side::Client(_) => Vec::new(),
        }
    }

    fn accepted(&mut self, request: &[Opt<'_>]) {
        if let Side::Client(client) = &mut self.side {
            client.accepted(request);
        }
    }

    fn acked(&mut self) {
        if let Side::Client(client) = &self.side {
            let failure = client.acked();
            self.fail(failure);
        }
    }

    fn naked(&mut self, options: &[Opt<'_>]) {
        if let Side::Client(client) = &mut self.side {
            client.naked(options);
        }
        // A server does not take an address for itself from a client.
    }

    fn rejected(&mut self, options: &[Opt<'_>]) {
        match &mut self.side {
            Side::Server(server) => server.rejected(options),
            Side::Client(client) => {
                let failure = client.rejected(options);
                self.fail(failure);
            }
        }
    }

    fn failure(&mut self) -> Option<Failure> {
        self.failure.take().map(|failure| *failure)
    }

    fn show(option: &Opt<'_>) -> String {
        IpcpOption::parse(option).map_or_else(|_| option.to_string(), |known| known.to_string())
    }
}

#[cfg(test)]
mod tests;
