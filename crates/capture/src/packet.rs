//! The output: one packet for each frame of the file.

use std::net::IpAddr;
use std::time::Duration;

use adit_wire::Error;

use crate::beginning::{Icmp, Upper};
use crate::dns::Dns;
use crate::gre::Gre;
use crate::link::{Direction, NotIp, PppOn};
use crate::tcp::Segment;

/// One frame of the file, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The number of the frame, from 1, as in other programs.
    pub number: u64,
    /// The time since 1970, UTC; zero if the file has none.
    pub time: Duration,
    /// The number of the interface in the file.
    pub interface: u32,
    /// The frame's link type (tcpdump.org/linktypes).
    pub link: u16,
    /// Whether the capturing host sent or received it, if the file contains that.
    pub direction: Option<Direction>,
    /// The captured octets of the frame.
    pub captured: usize,
    /// The length of the frame on the wire.
    pub total: usize,
    /// Whether an 802.11 sender repeated it because it was not acknowledged.
    pub is_retry: bool,
    /// An earlier frame with the same packet, which was captured twice, not sent twice. Ignore this packet in
    /// any judgement.
    pub duplicate_of: Option<u64>,
    /// The IP header, if there is one.
    pub network: Option<Network>,
    /// The decoded content.
    pub content: Content,
}

impl Packet {
    /// Whether only the beginning of the frame was captured.
    pub fn is_cut(&self) -> bool {
        self.captured < self.total
    }
}

/// The innermost IP header outside of any PPTP tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Source.
    pub source: IpAddr,
    /// Destination.
    pub destination: IpAddr,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// DF; always set for IPv6.
    pub dont_fragment: bool,
    /// The IP protocol after all headers.
    pub protocol: u8,
    /// The length of the IP packet on the wire, after reassembly.
    pub total: usize,
    /// The octets in the frame after the packet. Ethernet pads short frames when they are sent: a short frame
    /// without padding was captured on the host that sent it.
    pub padding: usize,
    /// Whether the checksum of the IPv4 header is correct; `None` for IPv6.
    pub header_sum: Option<bool>,
    /// Source and destination of the headers around it (IPv4 in IPv6 and the like), the outermost first.
    pub via: Vec<(IpAddr, IpAddr)>,
    /// The frames with the fragments of the packet, if there are several; this frame is the last.
    pub fragments: Vec<u64>,
}

/// The content of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// TCP, with the PPTP control messages that it completes.
    Tcp(Segment),
    /// GRE of the PPTP data channel.
    Gre(Gre),
    /// GRE of another kind: not PPTP.
    OtherGre {
        /// Version.
        version: u8,
        /// Protocol Type.
        protocol: u16,
    },
    /// ICMP; an error contains the quoted packet.
    Icmp(Icmp),
    /// A DNS query or answer.
    Dns(Dns),
    /// Any other UDP.
    Udp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
        /// Octets of data.
        len: usize,
    },
    /// A fragment of an incomplete packet; the packet is returned with its last fragment.
    Fragment {
        /// Its offset in the packet, in octets.
        offset: usize,
        /// The length of the fragment in octets.
        len: usize,
        /// Whether more fragments follow.
        more: bool,
        /// The upper-layer header in the first fragment.
        upper: Upper,
    },
    /// A PPP frame outside any tunnel: a capture of a PPP link, or PPPoE.
    Ppp {
        /// The origin.
        on: PppOn,
        /// The frame as far as it was captured.
        frame: Vec<u8>,
    },
    /// Not IP.
    NotIp(NotIp),
    /// Another IP protocol: see [`Network::protocol`].
    Other,
    /// A packet that cannot be decoded: truncated or invalid.
    Broken(Error),
}
