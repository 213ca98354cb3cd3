//! A packet, as far as it is known.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// IP protocol numbers.
pub(crate) const TCP: u8 = 6;
pub(crate) const GRE: u8 = 47;

/// What a packet is, for the rules. IPv4 only: PPTP is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The IP protocol; `None` for any.
    pub protocol: Option<u8>,
    /// Ports of TCP; `None` where any is meant.
    pub source_port: Option<u16>,
    /// As above.
    pub destination_port: Option<u16>,
    /// The interface on which it arrived.
    pub from: Interface,
    /// The interface on which it leaves.
    pub to: Interface,
    /// Its source.
    pub source: Place,
    /// Its destination.
    pub destination: Place,
    /// Its state in connection tracking.
    pub state: State,
    /// The flags of its TCP header; `None` where any is meant.
    pub flags: Option<u8>,
}

/// Flags of the TCP header (RFC 9293 section 3.1).
pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;
pub(crate) const URG: u8 = 32;

/// An end of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Any client: not one of those that a rule names.
    Any,
    /// That address.
    One(Ipv4Addr),
    /// Some address in there.
    Within(Vec<Ipv4Net>),
}

/// The interface of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interface {
    /// It has none (output has no "in").
    None,
    /// That one.
    Named(String),
    /// Not known.
    Unknown,
}

/// The state of a packet in connection tracking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The first of its connection.
    New,
    /// Of a connection that is known.
    Established,
    /// The first of a connection that a helper expects.
    Related,
    /// A rule exempts it from tracking.
    Untracked,
}

impl State {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            State::New => "new",
            State::Established => "established",
            State::Related => "related",
            State::Untracked => "untracked",
        }
    }
}

impl Packet {
    /// The first packet of a control connection: TCP to `port` of `server`, in through `interface`.
    pub fn control_in(interface: &str, server: Ipv4Addr, port: u16) -> Packet {
        Packet {
            protocol: Some(TCP),
            source_port: None,
            destination_port: Some(port),
            from: Interface::Named(interface.to_owned()),
            to: Interface::None,
            source: Place::Any,
            destination: Place::One(server),
            state: State::New,
            flags: Some(SYN),
        }
    }

    /// The answer to it.
    pub fn control_out(interface: &str, server: Ipv4Addr, port: u16) -> Packet {
        Packet {
            protocol: Some(TCP),
            source_port: Some(port),
            destination_port: None,
            from: Interface::None,
            to: Interface::Named(interface.to_owned()),
            source: Place::One(server),
            destination: Place::Any,
            state: State::Established,
            flags: Some(SYN | ACK),
        }
    }

    /// GRE from a client. It is new to connection tracking unless a helper followed the control connection: each
    /// direction has its own Call ID, so that one does not match the other.
    pub fn gre_in(interface: &str, server: Ipv4Addr, helped: bool) -> Packet {
        Packet {
            protocol: Some(GRE),
            destination_port: None,
            state: if helped { State::Related } else { State::New },
            ..Packet::control_in(interface, server, 0)
        }
    }

    /// GRE to a client.
    pub fn gre_out(interface: &str, server: Ipv4Addr, helped: bool) -> Packet {
        Packet {
            protocol: Some(GRE),
            source_port: None,
            state: if helped { State::Related } else { State::New },
            ..Packet::control_out(interface, server, 0)
        }
    }

    /// The first packet of a connection from a client, out of the tunnel, to a network behind the server.
    pub fn forward(tunnel: &str, pools: &[Ipv4Net], out: Interface, reach: &[Ipv4Net]) -> Packet {
        Packet {
            protocol: None,
            source_port: None,
            destination_port: None,
            from: Interface::Named(tunnel.to_owned()),
            to: out,
            source: Place::Within(pools.to_vec()),
            destination: Place::Within(reach.to_vec()),
            state: State::New,
            flags: None,
        }
    }

    /// The answer to it.
    pub fn backward(&self) -> Packet {
        Packet {
            protocol: self.protocol,
            source_port: self.destination_port,
            destination_port: self.source_port,
            from: self.to.clone(),
            to: self.from.clone(),
            source: self.destination.clone(),
            destination: self.source.clone(),
            state: State::Established,
            flags: None,
        }
    }
}
