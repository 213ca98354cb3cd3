//! The configuration of a path and the commands that change it.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use adit_policy::reach::Reach;
use adit_ppp::mppe::Mppe;
use adit_wire::{LocalCallId, PeerCallId};
use ipnet::{Ipv4Net, Ipv6Net};

/// The settings that stay the same while a path exists.
#[derive(Clone, Debug)]
pub struct PathConfig {
    /// Our Call ID, in the packets of this call that we receive.
    pub local_call_id: LocalCallId,
    /// The peer's Call ID, in the packets of this call that we send.
    pub peer_call_id: PeerCallId,
    /// How many numbers ahead a packet may be to be held, 0..=1024.
    pub reorder_packets: u16,
    /// How long a packet may be held.
    pub reorder_wait: Duration,
    /// The delay after which an acknowledgment is sent alone.
    pub ack_delay: Duration,
    /// The number of packets after which an acknowledgment is sent alone.
    pub ack_every: u16,
    /// The peer's window (RFC 2637 section 4.2), which limits unacknowledged packets. 0: packets are sent at
    /// once, as most peers expect.
    pub window: u16,
    /// Whether IP packets in clear are dropped.
    pub encryption_required: bool,
    /// The largest IP packet for the tunnel until [`Network::mtu`] is smaller.
    pub mtu: u16,
    /// Reduce the maximum segment size of TCP connections to what fits the tunnel, and to at most this many
    /// octets. `None`: do not change it.
    pub max_mss: Option<u16>,
    /// The sequence number of the first packet sent (RFC 2637: 0).
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

/// A command to a path.
#[derive(Clone, Debug)]
pub enum PathCommand {
    /// LCP is up with these options of the peer: its MRU, and whether it accepts frames with compressed
    /// protocol (PFC) and without address and control (ACFC).
    Link {
        /// The longest information field that the peer accepts, in octets.
        peer_mru: u16,
        /// Protocol-Field-Compression towards the peer.
        pfc: bool,
        /// Address-and-Control-Field-Compression towards the peer.
        acfc: bool,
    },
    /// Whether IP packets in clear are dropped: replaces [`PathConfig::encryption_required`] once the account
    /// is known. A path that has been encrypted never accepts them again.
    RequireEncryption(bool),
    /// MPPE starts, from count 0 and the start keys, or stops.
    Encryption(Option<Mppe>),
    /// Whether IP packets may pass, and which.
    Network(Option<Network>),
    /// The rules for the destinations and sources of IP packets, from now on: they replace [`Network::acl`], whenever that is
    /// set, and earlier rules.
    Reach(Arc<Reach>),
    /// The path MTU outside the tunnel has become smaller: no inner packet larger than this is sent
    /// unfragmented.
    Mtu(u16),
}

/// The rules for IP packets.
#[derive(Clone, Debug)]
pub struct Network {
    /// Sources allowed in packets from the peer: its address and the networks behind it.
    pub peer_networks: Vec<Ipv4Net>,
    /// Destinations allowed in packets from the peer, until there are rules ([`PathCommand::Reach`]); `None`: any.
    pub acl: Option<Vec<Ipv4Net>>,
    /// Our address in the tunnel.
    pub local: Ipv4Addr,
    /// Largest IP packet for the tunnel.
    pub mtu: u16,
    /// Pass a DHCPINFORM to this host or to broadcast to [`crate::path::Sink::dhcp`] instead of forwarding
    /// it.
    pub answer_dhcp: bool,
    /// `None`: no IPv6 packet passes.
    pub ipv6: Option<NetworkV6>,
}

/// The rules for IPv6 packets.
#[derive(Clone, Debug)]
pub struct NetworkV6 {
    /// Sources allowed in packets from the peer: its link-local address and the prefixes behind it.
    pub peer_networks: Vec<Ipv6Net>,
    /// Our address in the tunnel.
    pub local: Ipv6Addr,
}

impl NetworkV6 {
    /// The addresses that IPV6CP negotiates: one link-local address on each side (RFC 5072 section 5).
    pub fn link_local(local: u64, peer: u64) -> NetworkV6 {
        let address = |id: u64| Ipv6Addr::from(0xfe80_u128 << 112 | u128::from(id));
        NetworkV6 { peer_networks: vec![Ipv6Net::from(address(peer))], local: address(local) }
    }
}
