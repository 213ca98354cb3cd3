//! What a path has seen.

/// Counters of one call since its beginning. "rx" is from the peer, "tx" to the peer; octets are those of IP packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// IP packets from the peer that passed.
    pub rx_packets: u64,
    /// Their octets.
    pub rx_bytes: u64,
    /// IP packets to the peer.
    pub tx_packets: u64,
    /// Their octets.
    pub tx_bytes: u64,
    /// PPP control frames from the peer.
    pub rx_frames: u64,
    /// PPP control frames to the peer.
    pub tx_frames: u64,
    /// GRE packets that never came.
    pub lost: u64,
    /// GRE packets that came out of order and were put in order.
    pub reordered: u64,
    /// GRE packets that came more than once.
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
    /// Of these, those to one host.
    pub acl_unicast: u64,
    /// The last of these, packed: see [`super::denied::unpack`].
    pub acl_last: u64,
    /// IP packets to the peer larger than the tunnel takes, answered with an ICMP error or dropped.
    pub too_big: u64,
    /// IP packets to the peer that found no room to wait for its window.
    pub window_full: u64,
    /// IP packets to the peer that were sent in fragments.
    pub fragmented: u64,
}
