//! The protocols of a PPTP connection and of what runs inside.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A protocol whose packets are read and written. Where a problem lives is a [`Layer`](crate::Layer), not this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
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
        f.pad(self.name())
    }
}
