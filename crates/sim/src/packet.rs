//! The packets of the simulation: IPv4 with TCP, GRE or an ICMP error inside.

use core::fmt;
use std::net::Ipv4Addr;

use adit_wire::gre;
use adit_wire::pptp::Message;

/// An IPv4 packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// The contents.
    pub body: Body,
}

/// The contents of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A TCP segment.
    Tcp(Segment),
    /// A GRE packet, starting with the GRE header.
    Gre(Vec<u8>),
    /// ICMP "destination unreachable" (type 3).
    Unreachable(Unreachable),
}

/// A TCP segment. The network may only delay segments, and firewalls drop them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// The kind of segment.
    pub kind: Kind,
}

/// The kind of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A connection request.
    Syn,
    /// The acceptance of a connection.
    SynAck,
    /// Data of the stream at this offset.
    Data {
        /// The number of octets before this segment.
        offset: u64,
        /// The octets.
        octets: Vec<u8>,
    },
    /// The end of the stream at this offset.
    Fin {
        /// The length of the whole stream in octets.
        offset: u64,
    },
    /// A reset.
    Rst,
}

/// An ICMP error of type 3 for a GRE packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// The ICMP code: 2 protocol unreachable, 13 administratively prohibited.
    pub code: u8,
    /// The source of the quoted packet.
    pub quoted_src: Ipv4Addr,
    /// The destination of the quoted packet.
    pub quoted_dst: Ipv4Addr,
    /// The first eight octets of the quoted GRE header.
    pub quoted: [u8; 8],
}

impl Packet {
    /// The length in octets, including the IPv4 header.
    pub fn len(&self) -> usize {
        20 + match &self.body {
            Body::Tcp(Segment { kind: Kind::Data { octets, .. }, .. }) => 20 + octets.len(),
            Body::Tcp(_) => 20,
            Body::Gre(octets) => octets.len(),
            Body::Unreachable(_) => 36,
        }
    }

    /// Always false, because there is always a header.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The ICMP error that `from` sends about this GRE packet; `None` for other packets.
    pub fn unreachable(&self, from: Ipv4Addr, code: u8) -> Option<Packet> {
        let Body::Gre(octets) = &self.body else { return None };
        let quoted = *octets.first_chunk()?;
        let body =
            Body::Unreachable(Unreachable { code, quoted_src: self.src, quoted_dst: self.dst, quoted });
        Some(Packet { src: from, dst: self.src, body })
    }

    /// The reset that answers this TCP segment; `None` for other packets and for resets.
    pub fn reset(&self) -> Option<Packet> {
        let Body::Tcp(segment) = &self.body else { return None };
        if segment.kind == Kind::Rst {
            return None;
        }
        let Segment { src_port, dst_port, .. } = *segment;
        let answer = Segment { src_port: dst_port, dst_port: src_port, kind: Kind::Rst };
        Some(Packet { src: self.dst, dst: self.src, body: Body::Tcp(answer) })
    }
}

/// The Call ID in a GRE header; 0 if the header is incomplete.
pub fn gre_call_id(octets: &[u8]) -> u16 {
    match octets.get(6..8) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    }
}

/// Sets the Call ID in a GRE header.
pub fn set_gre_call_id(octets: &mut [u8], call_id: u16) {
    if let Some(field) = octets.get_mut(6..8) {
        field.copy_from_slice(&call_id.to_be_bytes());
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Packet { src, dst, body } = self;
        match body {
            Body::Tcp(Segment { src_port, dst_port, kind }) => {
                write!(f, "tcp {src}:{src_port} > {dst}:{dst_port} ")?;
                match kind {
                    Kind::Syn => f.write_str("syn"),
                    Kind::SynAck => f.write_str("syn-ack"),
                    Kind::Fin { .. } => f.write_str("fin"),
                    Kind::Rst => f.write_str("rst"),
                    Kind::Data { octets, .. } => match Message::parse(octets) {
                        Ok(message) => message.fmt(f),
                        Err(_) => write!(f, "{} octets", octets.len()),
                    },
                }
            }
            Body::Gre(octets) => {
                write!(f, "gre {src} > {dst} ")?;
                match gre::Packet::new_checked(octets) {
                    Ok(packet) => {
                        write!(f, "{packet} ")?;
                        let head = packet.payload().iter().take(12);
                        head.into_iter().try_for_each(|octet| write!(f, "{octet:02x}"))
                    }
                    Err(error) => write!(f, "{error}"),
                }
            }
            Body::Unreachable(Unreachable { code, .. }) => {
                write!(f, "icmp {src} > {dst} unreachable code {code}")
            }
        }
    }
}
