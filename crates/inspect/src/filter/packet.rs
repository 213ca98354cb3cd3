//! A packet with its known properties.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// IP protocol numbers.
pub(crate) const TCP: u8 = 6;
pub(crate) const GRE: u8 = 47;

/// The properties of a packet that rules evaluate. IPv4 only, like PPTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The IP protocol; `None` for any.
    pub protocol: Option<u8>,
    /// The TCP source port; `None` for any.
    pub source_port: Option<u16>,
    /// The TCP destination port; `None` for any.
    pub destination_port: Option<u16>,
    /// The input interface.
    pub from: Interface,
    /// The output interface.
    pub to: Interface,
    /// The source address.
    pub source: Place,
    /// The destination address.
    pub destination: Place,
    /// Its state in connection tracking.
    pub state: State,
    /// The flags of the TCP header; `None` for any.
    pub flags: Option<u8>,
}

/// Flags of the TCP header (RFC 9293 section 3.1).
pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;
pub(crate) const URG: u8 = 32;

/// The address at one end of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An ordinary client: not one that a rule names.
    Any,
    /// That address.
    One(Ipv4Addr),
    /// An address in these networks.
    Within(Vec<Ipv4Net>),
}

/// The interface of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interface {
    /// There is none (output has no "in").
    None,
    /// The interface of this name.
    Named(String),
    /// Unknown.
    Unknown,
}

/// The state of a packet in connection tracking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The first packet of its connection.
    New,
    /// A packet of a known connection.
    Established,
    /// The first packet of a connection that a helper expects.
    Related,
    /// Exempt from tracking by a rule.
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
    /// The first packet of a control connection: TCP to `port` of `server`, received on `interface`.
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

    /// The answer to the first packet of a control connection.
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

    /// GRE from a client. It is new to connection tracking unless a helper tracked the control connection:
    /// each direction has its own Call ID, so that the directions do not match.
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

    /// The first packet of a connection from a client, through the tunnel, to a network behind the server.
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

    /// The answer to this packet.
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
