//! The name-server options (RFC 1877): only a client requests servers.

mod agreed;
mod given;
mod requested;

use crate::ipcp::context::{Config, Context};
use crate::ipcp::sided::Sided;
use agreed::Agreed;
use given::Given;
use requested::Requested;

pub(in crate::ipcp) type NameServers = Sided<Given, Requested>;

impl NameServers {
    pub(in crate::ipcp) fn new(config: &Config, _: &mut Context) -> NameServers {
        match config {
            Config::Server(grant) => Sided::Server(Given::new(grant)),
            Config::Client(client) => Sided::Client(Box::new(Requested::new(client))),
        }
    }

    /// The servers that the client has.
    pub(in crate::ipcp) fn agreed(&self) -> Agreed {
        match self {
            Sided::Server(given) => given.agreed(),
            Sided::Client(requested) => requested.agreed(),
        }
    }
}
