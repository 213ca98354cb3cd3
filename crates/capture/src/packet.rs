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
    /// The frame's number, from 1 on, as other programs count.
    pub number: u64,
    /// Since 1970, UTC; zero where the file has no time.
    pub time: Duration,
    /// Which of the file's interfaces saw it.
    pub interface: u32,
    /// The frame's link type (tcpdump.org/linktypes).
    pub link: u16,
    /// Whether the capturing host sent or received it, where the file contains it.
    pub direction: Option<Direction>,
    /// Octets of the frame in the file.
    pub captured: usize,
    /// Octets of the frame on the wire.
    pub total: usize,
    /// 802.11: sent again because the first copy was not confirmed.
    pub is_retry: bool,
    /// An earlier frame with the very same packet: captured twice, not sent twice. To be left out of any judgement.
    pub duplicate_of: Option<u64>,
    /// The IP header, when there is one.
    pub network: Option<Network>,
    /// The decoded content.
    pub content: Content,
}

impl Packet {
    /// The capture kept only the beginning of the frame.
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
    /// IP protocol behind all headers.
    pub protocol: u8,
    /// Octets of the IP packet on the wire; of the whole one, where it arrived in fragments.
    pub total: usize,
    /// Octets in the frame behind the packet. Ethernet pads short frames when they leave: a short frame without padding
    /// was captured on the host that sent it.
    pub padding: usize,
    /// Whether the IPv4 header's checksum fits; `None` for IPv6.
    pub header_sum: Option<bool>,
    /// Source and destination of the headers around it (IPv4 in IPv6 and the like), the outermost first.
    pub via: Vec<(IpAddr, IpAddr)>,
    /// The frames that carried the packet, when it arrived in fragments; the last of them is this one.
    pub fragments: Vec<u64>,
}

/// The content of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// TCP; with the control messages of PPTP that it made readable.
    Tcp(Segment),
    /// PPTP's data channel.
    Gre(Gre),
    /// GRE of another kind: not PPTP.
    OtherGre {
        /// Version.
        version: u8,
        /// Protocol Type.
        protocol: u16,
    },
    /// ICMP; an error with the packet it is about.
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
    /// A fragment of a packet that is not whole yet; the packet is returned with its last fragment.
    Fragment {
        /// Its offset in the packet, in octets.
        offset: usize,
        /// Octets of it.
        len: usize,
        /// Others follow.
        more: bool,
        /// What the first one contains.
        upper: Upper,
    },
    /// A PPP frame outside any tunnel: a capture of a PPP link, or PPPoE.
    Ppp {
        /// Where.
        on: PppOn,
        /// The frame as far as it was captured.
        frame: Vec<u8>,
    },
    /// Not IP.
    NotIp(NotIp),
    /// Another IP protocol: see [`Network::protocol`].
    Other,
    /// It cannot be read: cut, or wrong.
    Broken(Error),
}
