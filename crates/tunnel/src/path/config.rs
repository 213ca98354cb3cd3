//! What a path is told.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use adit_ppp::mppe::Mppe;
use adit_wire::{LocalCallId, PeerCallId};
use ipnet::{Ipv4Net, Ipv6Net};

/// What stays the same for the whole life of a path.
#[derive(Clone, Debug)]
pub struct PathConfig {
    /// Our Call ID: packets of this call arrive with it.
    pub local_call_id: LocalCallId,
    /// The peer's Call ID: packets of this call leave with it.
    pub peer_call_id: PeerCallId,
    /// How many numbers a packet may be ahead and still wait for its turn, 0..=1024.
    pub reorder_packets: u16,
    /// How long a packet may wait for its turn.
    pub reorder_wait: Duration,
    /// After this time an acknowledgment goes alone.
    pub ack_delay: Duration,
    /// After this many packets an acknowledgment goes alone.
    pub ack_every: u16,
    /// Windowing (RFC 2637 section 4.2): no more packets are on their way unacknowledged than the peer's window says,
    /// which this is. 0: packets leave as they come, which most peers expect.
    pub window: u16,
    /// IP packets never pass in clear.
    pub encryption_required: bool,
    /// The largest IP packet for the tunnel until [`Network::mtu`] says less.
    pub mtu: u16,
    /// Lower the maximum segment size of TCP connections to what fits the tunnel, and to this many octets. `None`: leave it
    /// alone.
    pub max_mss: Option<u16>,
    /// Sequence number of the first packet that leaves (RFC 2637: 0).
    pub first_sequence: u32,
}

impl PathConfig {
    /// The defaults for a call.
    pub fn new(local_call_id: LocalCallId, peer_call_id: PeerCallId) -> PathConfig {
        PathConfig {
            local_call_id,
            peer_call_id,
            reorder_packets: 32,
            reorder_wait: Duration::from_millis(100),
            ack_delay: Duration::from_millis(100),
            ack_every: 16,
            window: 0,
            encryption_required: true,
            mtu: 1400,
            max_mss: Some(u16::MAX),
            first_sequence: 0,
        }
    }
}

/// What a path is told while it lives.
#[derive(Clone, Debug)]
pub enum PathCommand {
    /// LCP is up with these options of the peer: its MRU, and whether it takes frames with compressed protocol (PFC)
    /// and without address and control (ACFC).
    Link {
        /// Octets of information that the peer takes.
        peer_mru: u16,
        /// Protocol-Field-Compression towards the peer.
        pfc: bool,
        /// Address-and-Control-Field-Compression towards the peer.
        acfc: bool,
    },
    /// Whether IP packets may never pass in clear: what [`PathConfig::encryption_required`] said, now that it is known
    /// whose call this is. What was encrypted once stays so.
    RequireEncryption(bool),
    /// MPPE starts, from count 0 and the start keys, or stops.
    Encryption(Option<Mppe>),
    /// IP packets may pass, or may not.
    Network(Option<Network>),
    /// The path outside has become narrower: no inner packet larger than this leaves whole.
    Mtu(u16),
}

/// What IP packets may pass.
#[derive(Clone, Debug)]
pub struct Network {
    /// Sources allowed in packets from the peer: its address and the networks behind it.
    pub peer_networks: Vec<Ipv4Net>,
    /// Destinations allowed in packets from the peer; `None`: any.
    pub acl: Option<Vec<Ipv4Net>>,
    /// Our address in the tunnel.
    pub local: Ipv4Addr,
    /// Largest IP packet for the tunnel.
    pub mtu: u16,
    /// Hand a DHCPINFORM to this host or to broadcast to [`crate::path::Sink::dhcp`] instead of sending it on.
    pub answer_dhcp: bool,
    /// `None`: no IPv6 packet passes.
    pub ipv6: Option<NetworkV6>,
}

/// What IPv6 packets may pass.
#[derive(Clone, Debug)]
pub struct NetworkV6 {
    /// Sources allowed in packets from the peer: its link-local address and the prefixes behind it.
    pub peer_networks: Vec<Ipv6Net>,
    /// Our address in the tunnel.
    pub local: Ipv6Addr,
}

impl NetworkV6 {
    /// What IPV6CP agrees on: one link-local address on each side (RFC 5072 section 5).
    pub fn link_local(local: u64, peer: u64) -> NetworkV6 {
        let address = |id: u64| Ipv6Addr::from(0xfe80_u128 << 112 | u128::from(id));
        NetworkV6 { peer_networks: vec![Ipv6Net::from(address(peer))], local: address(local) }
    }
}
