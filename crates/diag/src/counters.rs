//! What a call carried, lost and refused.

use serde::{Deserialize, Serialize};

/// Counters of one call since its beginning, seen from this program: "rx" is from the peer, "tx" to the peer; bytes are
/// those of IP packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Counters {
    /// IP packets received.
    pub rx_packets: u64,
    /// Their bytes.
    pub rx_bytes: u64,
    /// IP packets sent.
    pub tx_packets: u64,
    /// Their bytes.
    pub tx_bytes: u64,
    /// PPP control frames received.
    pub rx_frames: u64,
    /// PPP control frames sent.
    pub tx_frames: u64,
    /// GRE packets that never arrived.
    pub lost: u64,
    /// GRE packets that arrived out of order and were put in order.
    pub reordered: u64,
    /// GRE packets that arrived more than once.
    pub duplicate: u64,
    /// GRE packets too late, or too far ahead.
    pub out_of_window: u64,
    /// GRE packets of this call that cannot be read: header, length, PPP framing.
    pub malformed: u64,
    /// MPPE frames that did not decrypt to a packet.
    pub decrypt_failures: u64,
    /// MPPE frames dropped unread, because too many key changes were asked for.
    pub throttled: u64,
    /// IP packets in clear, from or to the peer, dropped because encryption is required.
    pub clear_refused: u64,
    /// IP packets dropped because IP is not up.
    pub not_up: u64,
    /// IP packets from the peer with a source that is not its own.
    pub spoofed: u64,
    /// IP packets from the peer to a destination it may not reach.
    pub acl_denied: u64,
    /// Of these, the unicast ones.
    pub acl_unicast: u64,
    /// The last of these, packed (`adit_tunnel::path::denied`): for this process only.
    #[serde(skip)]
    pub acl_last: u64,
    /// IP packets to the peer larger than the tunnel takes, answered with an ICMP error or dropped.
    pub too_big: u64,
    /// IP packets to the peer dropped because the queue for its window was full.
    pub window_full: u64,
    /// IP packets to the peer that were sent in fragments.
    pub fragmented: u64,
}

impl Counters {
    /// The part that is kept of every session.
    pub const fn traffic(&self) -> Traffic {
        let Counters { rx_packets, rx_bytes, tx_packets, tx_bytes, .. } = *self;
        Traffic { rx_packets, rx_bytes, tx_packets, tx_bytes }
    }
}

/// The traffic of a call, as in [`Counters`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// IP packets received.
    pub rx_packets: u64,
    /// Their bytes.
    pub rx_bytes: u64,
    /// IP packets sent.
    pub tx_packets: u64,
    /// Their bytes.
    pub tx_bytes: u64,
}
