//! The side that hands out addresses.

use core::net::Ipv4Addr;
use std::sync::Arc;

use adit_diag::Code;
use adit_wire::cp::Opt;
use adit_wire::ipcp::{IpcpOption, NameServer, kind};

use super::Agreed;
use crate::fsm::{Failure, Judge};

/// What a client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressGrant {
    /// The client's address.
    pub peer: Ipv4Addr,
    /// Our end's address.
    pub local: Ipv4Addr,
    /// DNS servers; the first two can be told (RFC 1877).
    pub dns: Vec<Ipv4Addr>,
    /// WINS servers; the first two can be told.
    pub wins: Vec<Ipv4Addr>,
}

impl AddressGrant {
    fn name_server(&self, server: NameServer) -> Option<Ipv4Addr> {
        match server {
            NameServer::PrimaryDns => self.dns.first(),
            NameServer::SecondaryDns => self.dns.get(1),
            NameServer::PrimaryNbns => self.wins.first(),
            NameServer::SecondaryNbns => self.wins.get(1),
        }
        .copied()
    }
}

/// A server's part of IPCP.
#[derive(Debug)]
pub struct Server {
    grant: Arc<AddressGrant>,
    /// The client wants to hear our address.
    numbered: bool,
}

impl Server {
    pub(super) fn new(grant: Arc<AddressGrant>) -> Server {
        Server { grant, numbered: true }
    }

    pub(super) fn agreed(&self) -> Agreed {
        let AddressGrant { peer, local, dns, wins } = (*self.grant).clone();
        Agreed { local, peer, dns, wins }
    }

    pub(super) fn reset(&mut self) {
        self.numbered = true;
    }

    pub(super) fn request(&self, out: &mut Vec<u8>) {
        if self.numbered {
            IpcpOption::Address(self.grant.local).emit(out);
        }
    }

    pub(super) fn judge(&self, option: IpcpOption<'_>, naks_left: bool) -> (Judge, Option<Failure>) {
        let granted = self.grant.peer;
        match option {
            IpcpOption::Address(address) if address == granted => (Judge::Ack, None),
            IpcpOption::Address(address) => {
                let detail = || format!("the client insists on address {address}, we give {granted}");
                let failure = (!naks_left).then(|| Failure { code: Code::I02, detail: detail() });
                (Judge::Nak(granted.octets().to_vec()), failure)
            }
            IpcpOption::NameServer(server, address) => match self.grant.name_server(server) {
                Some(configured) if configured == address => (Judge::Ack, None),
                Some(configured) => (Judge::Nak(configured.octets().to_vec()), None),
                None => (Judge::Reject, None),
            },
            IpcpOption::Compression { .. } | IpcpOption::Other { .. } => (Judge::Reject, None),
        }
    }

    /// A client must have an address, and it must be the one we route to it.
    pub(super) fn missing(&self, request: &[Opt<'_>], naks_left: bool) -> (Vec<u8>, Option<Failure>) {
        if request.iter().any(|option| option.kind == kind::ADDRESS) {
            return (Vec::new(), None);
        }
        let mut option = Vec::new();
        IpcpOption::Address(self.grant.peer).emit(&mut option);
        let detail = || format!("the client takes no address, we give {}", self.grant.peer);
        (option, (!naks_left).then(|| Failure { code: Code::I02, detail: detail() }))
    }

    pub(super) fn rejected(&mut self, options: &[Opt<'_>]) {
        if options.iter().any(|option| option.kind == kind::ADDRESS) {
            self.numbered = false;
        }
    }
}
