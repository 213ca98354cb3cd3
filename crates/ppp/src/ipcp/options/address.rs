//! IP-Address (RFC 1332 section 3.3): each side sends its own address, and a server assigns one to the
//! client.

mod given;
mod requested;

use core::net::Ipv4Addr;

use crate::ipcp::context::{Config, Context};
use crate::ipcp::sided::Sided;
use given::Given;
use requested::Requested;

pub(in crate::ipcp) type Address = Sided<Given, Requested>;

impl Address {
    pub(in crate::ipcp) fn new(config: &Config, _: &mut Context) -> Address {
        match config {
            Config::Server(grant) => Sided::Server(Given::new(grant)),
            Config::Client(client) => Sided::Client(Box::new(Requested::new(client))),
        }
    }

    /// The addresses: ours and the peer's.
    pub(in crate::ipcp) fn agreed(&self) -> (Ipv4Addr, Ipv4Addr) {
        match self {
            Sided::Server(given) => given.agreed(),
            Sided::Client(requested) => requested.agreed(),
        }
    }
}
