//! The hosts of a conversation.

use std::net::Ipv4Addr;
use std::time::Instant;

use crate::client::ClientHost;
use crate::foreign::Foreign;
use crate::packet::Packet;
use crate::rude::Rude;
use crate::server::ServerHost;
use crate::world::{Host, Output};

/// A host of a conversation.
pub enum Node {
    /// A server.
    Server(ServerHost),
    /// A client.
    Client(ClientHost),
    /// A third-party client or server.
    Foreign(Box<Foreign>),
    /// A misbehaving host.
    Rude(Box<Rude>),
}

impl Node {
    /// The server, if it is one.
    pub fn server(&self) -> Option<&ServerHost> {
        match self {
            Node::Server(server) => Some(server),
            _ => None,
        }
    }

    /// The server, mutable, if it is one.
    pub fn server_mut(&mut self) -> Option<&mut ServerHost> {
        match self {
            Node::Server(server) => Some(server),
            _ => None,
        }
    }

    /// The client, if it is one.
    pub fn client(&self) -> Option<&ClientHost> {
        match self {
            Node::Client(client) => Some(client),
            _ => None,
        }
    }

    /// The client, mutable, if it is one.
    pub fn client_mut(&mut self) -> Option<&mut ClientHost> {
        match self {
            Node::Client(client) => Some(client),
            _ => None,
        }
    }

    /// The third-party host, if it is one.
    pub fn foreign(&self) -> Option<&Foreign> {
        match self {
            Node::Foreign(foreign) => Some(foreign),
            _ => None,
        }
    }

    /// The third-party host, mutable, if it is one.
    pub fn foreign_mut(&mut self) -> Option<&mut Foreign> {
        match self {
            Node::Foreign(foreign) => Some(foreign),
            _ => None,
        }
    }

    /// The misbehaving host, mutable, if it is one.
    pub fn rude_mut(&mut self) -> Option<&mut Rude> {
        match self {
            Node::Rude(rude) => Some(rude),
            _ => None,
        }
    }

    fn host(&self) -> &dyn Host {
        match self {
            Node::Server(server) => server,
            Node::Client(client) => client,
            Node::Foreign(foreign) => foreign.as_ref(),
            Node::Rude(rude) => rude.as_ref(),
        }
    }

    fn host_mut(&mut self) -> &mut dyn Host {
        match self {
            Node::Server(server) => server,
            Node::Client(client) => client,
            Node::Foreign(foreign) => foreign.as_mut(),
            Node::Rude(rude) => rude.as_mut(),
        }
    }
}

impl Host for Node {
    fn address(&self) -> Ipv4Addr {
        self.host().address()
    }

    fn handle_packet(&mut self, now: Instant, packet: Packet, out: &mut Output) {
        self.host_mut().handle_packet(now, packet, out);
    }

    fn handle_timeout(&mut self, now: Instant, out: &mut Output) {
        self.host_mut().handle_timeout(now, out);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.host().poll_timeout()
    }
}
