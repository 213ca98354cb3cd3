//! The PPP frame inside GRE (RFC 1661 section 2, RFC 1662 section 3.1): `[FF 03] protocol information`.
//!
//! There is no FCS and no escaping in the tunnel. Address-and-Control may be absent (ACFC) and the protocol may be one
//! octet (PFC); a receiver accepts all four forms whatever was negotiated.

use crate::{Error, Protocol, Result};

/// IPv4 datagrams.
pub const IP: u16 = 0x0021;
/// Van Jacobson compressed TCP/IP.
pub const VJ_COMPRESSED: u16 = 0x002d;
/// Van Jacobson uncompressed TCP/IP.
pub const VJ_UNCOMPRESSED: u16 = 0x002f;
/// Bridged frames (RFC 3518).
pub const BRIDGING: u16 = 0x0031;
/// Multilink fragments (RFC 1990).
pub const MULTILINK: u16 = 0x003d;
/// IPv6 datagrams.
pub const IPV6: u16 = 0x0057;
/// Compression of one link of a bundle.
pub const LINK_COMPRESSED: u16 = 0x00fb;
/// Compressed or MPPE-encrypted datagrams (RFC 1962, 3078).
pub const COMPRESSED: u16 = 0x00fd;
/// MPLS datagrams.
pub const MPLS: u16 = 0x0281;
/// IP Control Protocol (RFC 1332).
pub const IPCP: u16 = 0x8021;
/// Bridging Control Protocol (RFC 3518).
pub const BCP: u16 = 0x8031;
/// Encryption Control Protocol (RFC 1968).
pub const ECP: u16 = 0x8053;
/// IPv6 Control Protocol (RFC 5072).
pub const IPV6CP: u16 = 0x8057;
/// Compression control for one link of a bundle.
pub const ILCCP: u16 = 0x80fb;
/// Compression Control Protocol (RFC 1962).
pub const CCP: u16 = 0x80fd;
/// Cisco Discovery Protocol's control protocol.
pub const CDPCP: u16 = 0x8207;
/// MPLS Control Protocol.
pub const MPLSCP: u16 = 0x8281;
/// Link Control Protocol (RFC 1661).
pub const LCP: u16 = 0xc021;
/// Password Authentication Protocol (RFC 1334).
pub const PAP: u16 = 0xc023;
/// Link Quality Report (RFC 1989).
pub const LQR: u16 = 0xc025;
/// Callback Control Protocol (Microsoft).
pub const CBCP: u16 = 0xc029;
/// Bandwidth Allocation Control Protocol (RFC 2125).
pub const BACP: u16 = 0xc02b;
/// Bandwidth Allocation Protocol (RFC 2125).
pub const BAP: u16 = 0xc02d;
/// Challenge Handshake Authentication Protocol (RFC 1994).
pub const CHAP: u16 = 0xc223;
/// Extensible Authentication Protocol (RFC 3748).
pub const EAP: u16 = 0xc227;

/// The longest header [`push_header`] writes: Address, Control and a two-octet protocol.
pub const HEADER_MAX: usize = 4;

/// The Maximum-Receive-Unit of a side without the option (RFC 1661 section 6.1). Every receiver must accept
/// information fields of this size even if it has requested less.
pub const DEFAULT_MRU: u16 = 1500;

/// Address (all stations) and Control (unnumbered information).
const ADDRESS_CONTROL: [u8; 2] = [0xff, 0x03];

/// Splits a frame into its protocol number and its information field.
///
/// # Errors
/// If the frame ends within the protocol field, or the protocol number is invalid (RFC 1661 section 2: the
/// last octet is odd, the first of two is even).
pub fn frame(bytes: &[u8]) -> Result<(u16, &[u8])> {
    let rest = bytes.strip_prefix(&ADDRESS_CONTROL).unwrap_or(bytes);
    let offset = bytes.len() - rest.len();
    let short = Error::new(Protocol::Ppp, "Protocol", offset, "1 or 2 octets", rest.len() as u64);
    match *rest {
        [] => Err(short),
        [first, ref information @ ..] if first & 1 == 1 => Ok((u16::from(first), information)),
        [first, second, ref information @ ..] => {
            let protocol = u16::from_be_bytes([first, second]);
            if second & 1 == 1 {
                Ok((protocol, information))
            } else {
                Err(Error::new(Protocol::Ppp, "Protocol", offset, "an odd last octet", u64::from(protocol)))
            }
        }
        [_] => Err(short),
    }
}

/// Appends the frame's header: without FF 03 if `acfc`, with a one-octet protocol if `pfc` and the number
/// allows it.
///
/// LCP codes 1 to 7 are always sent uncompressed (RFC 1661 sections 6.5 and 6.6): the caller passes `false`
/// for both.
pub fn push_header(out: &mut Vec<u8>, protocol: u16, acfc: bool, pfc: bool) {
    if !acfc {
        out.extend_from_slice(&ADDRESS_CONTROL);
    }
    match u8::try_from(protocol) {
        // 0xff is never sent as one octet: a receiver would take it for the Address field.
        Ok(short) if pfc && short != 0xff => out.push(short),
        _ => out.extend_from_slice(&protocol.to_be_bytes()),
    }
}

/// The usual name of the protocol; `None` for an unknown one.
pub const fn protocol_name(protocol: u16) -> Option<&'static str> {
    Some(match protocol {
        IP => "IPv4",
        VJ_COMPRESSED | VJ_UNCOMPRESSED => "Van Jacobson TCP/IP",
        BRIDGING => "bridged frames",
        MULTILINK => "multilink",
        IPV6 => "IPv6",
        LINK_COMPRESSED => "link-level compressed data",
        COMPRESSED => "compressed or encrypted data",
        MPLS => "MPLS",
        IPCP => "IPCP",
        BCP => "BCP (bridging)",
        ECP => "ECP (encryption control)",
        IPV6CP => "IPV6CP",
        ILCCP => "ILCCP",
        CCP => "CCP",
        CDPCP => "CDPCP (Cisco Discovery)",
        MPLSCP => "MPLSCP",
        LCP => "LCP",
        PAP => "PAP",
        LQR => "LQR",
        CBCP => "CBCP (callback)",
        BACP => "BACP",
        BAP => "BAP",
        CHAP => "CHAP",
        EAP => "EAP",
        _ => return None,
    })
}

/// The protocol of frames with this protocol number; [`Protocol::Ppp`] for one without a parser here.
pub const fn protocol(number: u16) -> Protocol {
    match number {
        LCP => Protocol::Lcp,
        PAP => Protocol::Pap,
        CHAP => Protocol::Chap,
        EAP => Protocol::Eap,
        CCP => Protocol::Ccp,
        IPCP => Protocol::Ipcp,
        IPV6CP => Protocol::Ipv6cp,
        _ => Protocol::Ppp,
    }
}

/// A protocol number for display: its name, or `protocol 0x1234`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolNumber(pub u16);

impl core::fmt::Display for ProtocolNumber {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match protocol_name(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "protocol {:#06x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests;
