//! The beginning of a packet: the part that an ICMP error quotes, or the part that is known if fragments are
//! missing.

use std::fmt;
use std::net::IpAddr;

use adit_wire::{gre, icmp, ipv4, ipv6};

use crate::ip::Ip;
use crate::octets::Octets as _;

/// The headers in the first octets of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// Source.
    pub source: IpAddr,
    /// Destination.
    pub destination: IpAddr,
    /// IP protocol.
    pub protocol: u8,
    /// The length of the whole IP packet in octets.
    pub total: usize,
    /// Time to live.
    pub ttl: u8,
    /// DF.
    pub dont_fragment: bool,
    /// The first octets after the IP header.
    pub upper: Upper,
}

/// The first octets of the layer above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Upper {
    /// TCP.
    Tcp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
        /// Sequence number.
        seq: u32,
    },
    /// UDP.
    Udp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
    },
    /// GRE as PPTP uses it.
    Gre {
        /// The Call ID that the receiver of the packet assigned.
        call_id: u16,
        /// The length of the PPP frame in octets.
        payload: u16,
    },
    /// Any other GRE.
    OtherGre {
        /// Version.
        version: u8,
        /// Protocol Type.
        protocol: u16,
    },
    /// ICMP.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
    },
    /// Another protocol, or too few octets.
    Unknown,
}

impl Beginning {
    /// Parses the packet that begins with `octets`; `None` if the IP header is incomplete.
    pub(crate) fn read(octets: &[u8]) -> Option<Beginning> {
        // A quoted packet is always truncated.
        let ip = Ip::parse(octets, usize::MAX).ok()?;
        let upper = if ip.fragment.is_some_and(|fragment| fragment.offset > 0) {
            Upper::Unknown
        } else {
            Upper::read(ip.protocol, ip.payload)
        };
        Some(Beginning {
            source: ip.source,
            destination: ip.destination,
            protocol: ip.protocol,
            total: ip.total,
            ttl: ip.ttl,
            dont_fragment: ip.dont_fragment,
            upper,
        })
    }
}

impl Upper {
    pub(crate) fn read(protocol: u8, octets: &[u8]) -> Upper {
        Upper::known(protocol, octets).unwrap_or(Upper::Unknown)
    }

    fn known(protocol: u8, octets: &[u8]) -> Option<Upper> {
        let (first, second) = (octets.be16(0)?, octets.be16(2)?);
        Some(match protocol {
            ipv4::TCP => Upper::Tcp { source: first, destination: second, seq: octets.be32(4)? },
            ipv4::UDP => Upper::Udp { source: first, destination: second },
            ipv4::ICMP | ipv6::ICMPV6 => Upper::Icmp { kind: (first >> 8) as u8, code: first as u8 },
            gre::IP_PROTOCOL if first & 7 == 1 && second == gre::PROTOCOL_PPP => {
                Upper::Gre { payload: octets.be16(4)?, call_id: octets.be16(6)? }
            }
            gre::IP_PROTOCOL => Upper::OtherGre { version: (first & 7) as u8, protocol: second },
            _ => Upper::Unknown,
        })
    }
}

impl fmt::Display for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Beginning { source, destination, protocol, total, .. } = self;
        match self.upper {
            Upper::Tcp { source: from, destination: to, .. } => {
                write!(f, "TCP {source} port {from} > {destination} port {to}")?;
            }
            Upper::Udp { source: from, destination: to } => {
                write!(f, "UDP {source} port {from} > {destination} port {to}")?;
            }
            Upper::Gre { call_id, .. } => write!(f, "PPTP GRE {source} > {destination} call {call_id}")?,
            Upper::OtherGre { version, protocol } => {
                write!(f, "GRE version {version} {protocol:#06x} {source} > {destination}")?;
            }
            Upper::Icmp { kind, code } => write!(f, "ICMP {kind}/{code} {source} > {destination}")?,
            Upper::Unknown => write!(f, "{source} > {destination} protocol {protocol}")?,
        }
        write!(f, ", {total} octets")
    }
}

/// An ICMP or ICMPv6 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Whether it is ICMPv6 (RFC 4443), whose types differ.
    pub v6: bool,
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// The next hop's MTU in "fragmentation needed" and "packet too big"; 0 from old routers.
    pub mtu: Option<u32>,
    /// The quoted packet of an error.
    pub quoted: Option<Beginning>,
}

impl Icmp {
    /// Parses the message that begins with `octets`. The checksum is not verified, because it covers octets
    /// that may be missing.
    pub(crate) fn read(octets: &[u8], v6: bool) -> Option<Icmp> {
        let (kind, code) = (octets.octet(0)?, octets.octet(1)?);
        let is_error = if v6 { kind < 128 } else { matches!(kind, 3 | 4 | 5 | 11 | 12) };
        let quoted = if is_error { Beginning::read(octets.behind(icmp::HEADER)) } else { None };
        let mtu = match (v6, kind, code) {
            (true, icmp::PACKET_TOO_BIG, _) => octets.be32(4),
            (false, icmp::UNREACHABLE, icmp::FRAGMENTATION_NEEDED) => octets.be16(6).map(u32::from),
            _ => None,
        };
        Some(Icmp { v6, kind, code, mtu, quoted })
    }
}
