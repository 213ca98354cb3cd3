//! The one error of every parser.

use core::fmt;

/// The protocol whose bytes were being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Protocol {
    /// PPTP control connection (RFC 2637 section 2).
    Pptp,
    /// Enhanced GRE (RFC 2637 section 4.1).
    Gre,
    /// PPP framing (RFC 1661 section 2).
    Ppp,
    /// Link Control Protocol (RFC 1661).
    Lcp,
    /// Password Authentication Protocol (RFC 1334).
    Pap,
    /// Challenge Handshake Authentication Protocol and MS-CHAP (RFC 1994, 2433, 2759).
    Chap,
    /// Extensible Authentication Protocol (RFC 3748).
    Eap,
    /// Compression Control Protocol (RFC 1962).
    Ccp,
    /// Microsoft Point-to-Point Encryption (RFC 3078).
    Mppe,
    /// IP Control Protocol (RFC 1332, 1877).
    Ipcp,
    /// IPv6 Control Protocol (RFC 5072).
    Ipv6cp,
    /// IPv4 (RFC 791).
    Ipv4,
    /// IPv6 (RFC 8200).
    Ipv6,
    /// ICMP (RFC 792).
    Icmp,
    /// TCP (RFC 9293).
    Tcp,
    /// UDP (RFC 768).
    Udp,
    /// DHCP (RFC 2131, 2132).
    Dhcp,
}

impl Protocol {
    /// The name people use.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Pptp => "PPTP",
            Protocol::Gre => "GRE",
            Protocol::Ppp => "PPP",
            Protocol::Lcp => "LCP",
            Protocol::Pap => "PAP",
            Protocol::Chap => "CHAP",
            Protocol::Eap => "EAP",
            Protocol::Ccp => "CCP",
            Protocol::Mppe => "MPPE",
            Protocol::Ipcp => "IPCP",
            Protocol::Ipv6cp => "IPV6CP",
            Protocol::Ipv4 => "IPv4",
            Protocol::Ipv6 => "IPv6",
            Protocol::Icmp => "ICMP",
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Dhcp => "DHCP",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why some bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The protocol.
    pub protocol: Protocol,
    /// The field, in the words of the protocol's specification.
    pub field: &'static str,
    /// Octets from the start of the buffer that was given to the parser.
    pub offset: usize,
    /// What the specification wants there.
    pub expected: &'static str,
    /// What was there: the field's value, or the number of octets where a length is wrong.
    pub found: u64,
}

impl Error {
    /// Makes an error; see the fields.
    pub const fn new(
        protocol: Protocol,
        field: &'static str,
        offset: usize,
        expected: &'static str,
        found: u64,
    ) -> Error {
        Error { protocol, field, offset, expected, found }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Error { protocol, field, offset, expected, found } = self;
        write!(f, "{protocol} {field} at octet {offset}: expected {expected}, found {found}")
    }
}

impl core::error::Error for Error {}

/// The result of every parser.
pub type Result<T> = core::result::Result<T, Error>;
