//! ICMP errors of routers and hosts about the GRE packets that we send.

use std::fmt;
use std::net::Ipv4Addr;

/// The meaning of an ICMP error (RFC 792, 1812), or of the local kernel's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IcmpKind {
    /// No route to the network.
    NetworkUnreachable,
    /// The host is unreachable.
    HostUnreachable,
    /// The host does not accept GRE: no PPTP server runs there, or its firewall rejects protocol 47.
    ProtocolUnreachable,
    /// Prohibited by a firewall.
    Prohibited,
    /// The packet is too large for the path.
    FragmentationNeeded {
        /// The MTU of the next hop; 0 from an old router that does not report it.
        mtu: u32,
    },
    /// The time to live expired in transit.
    TimeExceeded,
    /// Any other type and code.
    Other {
        /// ICMP type.
        kind: u8,
        /// ICMP code.
        code: u8,
    },
}

impl IcmpKind {
    /// Converts type, code and the MTU field.
    pub(crate) fn new(kind: u8, code: u8, info: u32) -> IcmpKind {
        match (kind, code) {
            (3, 0 | 6) => IcmpKind::NetworkUnreachable,
            (3, 1 | 7) => IcmpKind::HostUnreachable,
            (3, 2) => IcmpKind::ProtocolUnreachable,
            (3, 4) => IcmpKind::FragmentationNeeded { mtu: info },
            (3, 9 | 10 | 13) => IcmpKind::Prohibited,
            (11, 0) => IcmpKind::TimeExceeded,
            (kind, code) => IcmpKind::Other { kind, code },
        }
    }
}

impl fmt::Display for IcmpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IcmpKind::NetworkUnreachable => f.write_str("network unreachable"),
            IcmpKind::HostUnreachable => f.write_str("host unreachable"),
            IcmpKind::ProtocolUnreachable => f.write_str("protocol 47 unreachable"),
            IcmpKind::Prohibited => f.write_str("prohibited by a firewall"),
            IcmpKind::FragmentationNeeded { mtu } => write!(f, "too large, the path takes {mtu}"),
            IcmpKind::TimeExceeded => f.write_str("time to live ran out"),
            IcmpKind::Other { kind, code } => write!(f, "ICMP type {kind} code {code}"),
        }
    }
}

/// An error about a packet that we sent. ICMP is easily forged: treat it as evidence only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpReport {
    /// The destination of our packet.
    pub destination: Ipv4Addr,
    /// The sender of the error; `None` for this host itself.
    pub from: Option<Ipv4Addr>,
    /// The error.
    pub kind: IcmpKind,
    /// The Call ID in the quoted GRE header (the peer's, as we sent it), if it was quoted.
    pub call_id: Option<u16>,
}

impl fmt::Display for IcmpReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            Some(from) => write!(f, "{from} reports for GRE to {}: {}", self.destination, self.kind),
            None => write!(f, "this host reports for GRE to {}: {}", self.destination, self.kind),
        }
    }
}
