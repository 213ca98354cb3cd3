//! One end of a control connection as its packets show it, and the position of the capture derived from both
//! ends.

use std::fmt;
use std::time::Duration;

use crate::link::Direction;
use crate::packet::{Network, Packet};
use crate::tcp::{Arrival, Segment};

/// The minimum length to which Ethernet pads sent frames, without the check sequence.
const ETHERNET_MIN: usize = 60;
const ETHERNET: u16 = 1;
/// The initial values of the time to live.
const INITIAL_TTLS: [u8; 3] = [64, 128, 255];
/// The most routers on a path; for a greater distance another initial value is assumed.
const HOPS_MAX: u8 = 40;

/// The properties of one end, from its TCP segments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// The number of segments, without duplicates made by the capture.
    pub segments: u64,
    /// The lowest and highest time to live of segments other than RST.
    pub ttl: Option<(u8, u8)>,
    /// Maximum segment size in its SYN.
    pub mss: Option<u16>,
    /// The number of short Ethernet frames without padding: captured before they were sent.
    pub bare: u64,
    /// The number of short Ethernet frames with padding.
    pub filled: u64,
    /// The number of incomplete checksums, left to checksum offload.
    pub unfinished_sums: u64,
    /// The number of correct checksums.
    pub right_sums: u64,
    /// Frames that the capturing host sent, according to the file.
    pub sent: u64,
    /// Frames that the capturing host received, according to the file.
    pub received: u64,
    /// The number of retransmitted data segments.
    pub again: u64,
    /// Frame and time of the first segment.
    pub first: Option<(u64, Duration)>,
    /// Frame and time of the last segment.
    pub last: Option<(u64, Duration)>,
    /// Octets of data.
    pub octets: u64,
    /// Time to live of its first RST.
    reset_ttl: Option<u8>,
    /// The sequence number after its last data.
    next: Option<u32>,
    /// The highest acknowledgment of the other end.
    acked: Option<u32>,
}

impl End {
    /// Handles a segment that this end sent.
    pub(super) fn take(&mut self, packet: &Packet, network: &Network, segment: &Segment) {
        self.segments += 1;
        let place = (packet.number, packet.time);
        self.first.get_or_insert(place);
        self.last = Some(place);
        if segment.is_reset() {
            self.reset_ttl.get_or_insert(network.ttl);
        } else {
            let (low, high) = self.ttl.unwrap_or((network.ttl, network.ttl));
            self.ttl = Some((low.min(network.ttl), high.max(network.ttl)));
        }
        self.mss = self.mss.or(segment.mss);
        if packet.link == ETHERNET && network.total < ETHERNET_MIN - 18 {
            self.filled += u64::from(network.padding > 0);
            self.bare += u64::from(network.padding == 0 && packet.total < ETHERNET_MIN);
        }
        match segment.checksum {
            Some(true) => self.right_sums += 1,
            Some(false) => self.unfinished_sums += 1,
            None => {}
        }
        match packet.direction {
            Some(Direction::Sent) => self.sent += 1,
            Some(Direction::Received) => self.received += 1,
            None => {}
        }
        if segment.len > 0 && segment.arrival != Arrival::KeepAlive {
            self.again += u64::from(segment.arrival == Arrival::Retransmission);
            self.octets += segment.len as u64;
            self.next = later(self.next, segment.seq.wrapping_add(segment.len as u32));
        }
    }

    /// Handles an acknowledgment of the other end.
    pub(super) fn acknowledged(&mut self, ack: u32) {
        self.acked = later(self.acked, ack);
    }

    /// Whether the other end has acknowledged all data of this end; `None` if it sent none.
    pub fn is_acknowledged(&self) -> Option<bool> {
        let next = self.next?;
        Some(self.acked.is_some_and(|acked| acked.wrapping_sub(next).cast_signed() >= 0))
    }

    /// The number of routers between this end and the capture, by the time to live.
    pub fn hops(&self) -> Option<u8> {
        // A middlebox may send a RST in place of the end; use it only if there is nothing else.
        let ttl = self.ttl.map(|(_, high)| high).or(self.reset_ttl)?;
        let initial = INITIAL_TTLS.into_iter().find(|initial| *initial >= ttl)?;
        Some(initial - ttl).filter(|hops| *hops <= HOPS_MAX)
    }
}

fn later(known: Option<u32>, number: u32) -> Option<u32> {
    Some(match known {
        Some(known) if number.wrapping_sub(known).cast_signed() <= 0 => known,
        _ => number,
    })
}

/// The position at which a capture was made. Every conclusion about missing packets depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Position {
    /// On the client, or on its link before any router.
    NearClient,
    /// On the server, or on its link before any router.
    NearServer,
    /// Between routers, or on a link that both ends share.
    Middle,
    /// Unknown.
    #[default]
    Unknown,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Position::NearClient => "near the client",
            Position::NearServer => "near the server",
            Position::Middle => "between client and server",
            Position::Unknown => "at an unknown place",
        })
    }
}

/// The position, and the reason for it.
pub(super) fn position(client: &End, server: &End) -> (Position, String) {
    use Position::{Middle, NearClient, NearServer, Unknown};
    let hops = (client.hops(), server.hops());
    let is_far = |hops: Option<u8>| hops.is_some_and(|hops| hops > 0);
    for (end, other, name, near, own) in
        [(client, server, "client", NearClient, hops.0), (server, client, "server", NearServer, hops.1)]
    {
        // A router that captures also forwards packets of others; the time to live distinguishes them.
        if is_far(own) || end.segments == 0 {
            continue;
        }
        if end.unfinished_sums > 0 && end.right_sums <= end.unfinished_sums && other.unfinished_sums == 0 {
            return (
                near,
                format!("TCP checksums of the {name} are not filled in yet: captured as it sends"),
            );
        }
        if end.bare > 0 && end.filled == 0 && other.filled > 0 && other.bare == 0 {
            let why =
                format!("short Ethernet frames of the {name} are not filled up yet, those of its peer are");
            return (near, why);
        }
        if end.sent > 0 && end.received == 0 && other.sent == 0 {
            return (near, format!("the capturing host sent the frames of the {name} itself"));
        }
    }
    match hops {
        (Some(0), Some(0)) => (Middle, "no router on either side: both ends are on this wire".to_owned()),
        (Some(0), Some(far)) => (NearClient, by_ttl("client", client, far, "server", server)),
        (Some(far), Some(0)) => (NearServer, by_ttl("server", server, far, "client", client)),
        (Some(to_client), Some(to_server)) => {
            let why = format!("{} to the client, {} to the server", routers(to_client), routers(to_server));
            (Middle, why + ", by the time to live")
        }
        (Some(0), None) if client.segments > 0 => {
            (NearClient, format!("time to live of the client is {}: no router yet", ttl(client)))
        }
        (None, Some(0)) if server.segments > 0 => {
            (NearServer, format!("time to live of the server is {}: no router yet", ttl(server)))
        }
        _ => (Unknown, "nothing in the file shows where it was made".to_owned()),
    }
}

fn ttl(end: &End) -> u8 {
    end.ttl.map(|(_, high)| high).or(end.reset_ttl).unwrap_or_default()
}

fn routers(hops: u8) -> String {
    match hops {
        1 => "1 router".to_owned(),
        hops => format!("{hops} routers"),
    }
}

fn by_ttl(near: &str, end: &End, far: u8, other: &str, other_end: &End) -> String {
    let (own, its) = (ttl(end), ttl(other_end));
    format!("time to live {own} from the {near} (no router), {its} from the {other} ({})", routers(far))
}
