//! The summary of a file in numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::link::NotIp;
use crate::packet::{Content, Packet};

/// The most kinds in each table of a [`Summary`]; all others are counted together.
pub const KINDS_MAX: usize = 64;

/// The counters of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Frames.
    pub frames: u64,
    /// Their captured octets.
    pub captured: u64,
    /// The earliest time of a frame.
    pub first: Option<Duration>,
    /// The latest time of a frame.
    pub last: Option<Duration>,
    /// Frames that were truncated by the capture.
    pub cut: u64,
    /// Frames with a packet that was captured before.
    pub duplicates: u64,
    /// IP packets; duplicates are excluded here and in the following counters.
    pub ip: u64,
    /// TCP segments.
    pub tcp: u64,
    /// Control messages of PPTP.
    pub messages: u64,
    /// Packets of PPTP's data channel.
    pub gre: u64,
    /// GRE of other tunnels, by version and Protocol Type; at most [`KINDS_MAX`].
    pub other_gre: BTreeMap<(u8, u16), u64>,
    /// DNS messages.
    pub dns: u64,
    /// ICMP messages.
    pub icmp: u64,
    /// Fragments of incomplete packets.
    pub fragments: u64,
    /// PPP frames outside any tunnel: PPPoE, or a capture of a PPP link.
    pub ppp: u64,
    /// Packets that could not be decoded.
    pub broken: u64,
    /// Frames that are not IP, by kind; at most [`KINDS_MAX`].
    pub not_ip: BTreeMap<NotIp, u64>,
}

impl Summary {
    /// Whether the file contains any PPTP.
    pub fn has_pptp(&self) -> bool {
        self.messages > 0 || self.gre > 0
    }

    pub(crate) fn count(&mut self, packet: &Packet) {
        self.frames += 1;
        self.captured += packet.captured as u64;
        self.cut += u64::from(packet.is_cut());
        if packet.time != Duration::ZERO {
            self.first = Some(self.first.map_or(packet.time, |first| first.min(packet.time)));
            self.last = self.last.max(Some(packet.time));
        }
        if packet.duplicate_of.is_some() {
            self.duplicates += 1;
            return;
        }
        self.ip += u64::from(packet.network.is_some());
        match &packet.content {
            Content::Tcp(segment) => {
                self.tcp += 1;
                self.messages += (segment.messages.len() + segment.late.len()) as u64;
            }
            Content::Gre(_) => self.gre += 1,
            Content::OtherGre { version, protocol } => add(&mut self.other_gre, (*version, *protocol)),
            Content::Dns(_) => self.dns += 1,
            Content::Icmp(_) => self.icmp += 1,
            Content::Fragment { .. } => self.fragments += 1,
            Content::Ppp { .. } => self.ppp += 1,
            Content::Broken(_) => self.broken += 1,
            Content::NotIp(kind) => add(&mut self.not_ip, *kind),
            Content::Udp { .. } | Content::Other => {}
        }
    }
}

fn add<K: Ord>(table: &mut BTreeMap<K, u64>, kind: K) {
    if table.len() < KINDS_MAX || table.contains_key(&kind) {
        *table.entry(kind).or_default() += 1;
    }
}
