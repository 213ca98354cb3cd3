//! The link layer: from a captured frame to its payload.

mod cooked;
mod ethernet;
mod ppp;
mod wifi;

use std::fmt;

use crate::octets::Octets as _;

/// EtherType of IPv4.
pub(crate) const ETHERTYPE_IPV4: u16 = 0x0800;
/// EtherType of IPv6.
pub(crate) const ETHERTYPE_IPV6: u16 = 0x86dd;

/// The direction of a frame relative to the capturing host, if the file contains it. It is the best evidence
/// of the end at which a capture was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The host received the frame.
    Received,
    /// The host sent it.
    Sent,
}

/// Why a frame is not IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NotIp {
    /// Another protocol on the link, by EtherType.
    EtherType(u16),
    /// IEEE 802.2 without an EtherType, such as spanning tree.
    Llc,
    /// 802.11 management and control frames, without data.
    WifiControl,
    /// 802.11 data that is encrypted by the link.
    WifiEncrypted,
    /// Discovery of PPP over Ethernet.
    PppoeDiscovery,
    /// A PPP protocol on the link that is neither IP nor control.
    Ppp(u16),
    /// The frame ends before its protocol field.
    TooShort,
    /// The link type is not supported.
    Link(u16),
}

impl fmt::Display for NotIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotIp::EtherType(0x0806) => f.write_str("ARP"),
            NotIp::EtherType(number) => write!(f, "EtherType {number:#06x}"),
            NotIp::Llc => f.write_str("802.2 (LLC)"),
            NotIp::WifiControl => f.write_str("802.11 management or control"),
            NotIp::WifiEncrypted => f.write_str("802.11 data, encrypted on the air"),
            NotIp::PppoeDiscovery => f.write_str("PPPoE discovery"),
            NotIp::Ppp(protocol) => write!(f, "PPP {}", adit_wire::ppp::ProtocolNumber(*protocol)),
            NotIp::TooShort => f.write_str("frame too short"),
            NotIp::Link(number) => write!(f, "link type {number}, not supported"),
        }
    }
}

/// The origin of a PPP frame outside any tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PppOn {
    /// The capture is that of a PPP link.
    Link,
    /// PPP over Ethernet (RFC 2516): not PPTP.
    Pppoe {
        /// The SESSION_ID.
        session: u16,
    },
}

/// The payload of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried<'a> {
    /// An IPv4 or IPv6 packet, possibly with padding.
    Ip(&'a [u8]),
    /// A PPP frame that is not IP.
    Ppp(PppOn, &'a [u8]),
    Nothing(NotIp),
}

/// A parsed frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) carried: Carried<'a>,
    pub(crate) direction: Option<Direction>,
    /// Whether an 802.11 sender repeated the frame because it was not acknowledged.
    pub(crate) is_retry: bool,
    /// The length of the frame check sequence according to the link header.
    pub(crate) check_len: usize,
}

impl<'a> Frame<'a> {
    fn of(carried: Carried<'a>) -> Frame<'a> {
        Frame { carried, direction: None, is_retry: false, check_len: 0 }
    }
}

/// Parses a frame of the link type `link` (the numbers of tcpdump.org/linktypes).
pub(crate) fn frame(link: u16, octets: &[u8]) -> Frame<'_> {
    match link {
        1 => Frame::of(ethernet::frame(octets)),
        0 | 108 => Frame::of(loopback(octets)),
        12 | 14 | 101 | 228 | 229 => Frame::of(Carried::Ip(octets)),
        9 | 50 => Frame::of(ppp::frame(PppOn::Link, octets)),
        51 => Frame::of(ethernet::pppoe(octets)),
        166 => ppp::with_direction(octets, &[0], &[1]),
        204 => ppp::with_direction(octets, &[0], &[]),
        113 => cooked::v1(octets),
        276 => cooked::v2(octets),
        105 => wifi::frame(octets),
        127 => wifi::radiotap(octets),
        other => Frame::of(Carried::Nothing(NotIp::Link(other))),
    }
}

/// BSD loopback: an address family in the byte order of the capturing host, or of the network.
fn loopback(octets: &[u8]) -> Carried<'_> {
    let Some(family) = octets.be32(0) else { return Carried::Nothing(NotIp::TooShort) };
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    match family {
        // AF_INET; AF_INET6 of Linux, NetBSD, FreeBSD, macOS.
        2 | 10 | 24 | 28 | 30 => Carried::Ip(octets.behind(4)),
        other => Carried::Nothing(NotIp::EtherType(other as u16)),
    }
}
