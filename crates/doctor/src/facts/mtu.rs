//! The facts of packet sizes.

use std::net::IpAddr;

use crate::Seen;

/// Facts of layer M. Sizes are those of the IP packet inside the tunnel in octets, unless noted otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mtu {
    /// From client to server.
    pub to_server: Bracket,
    /// From server to client.
    pub to_client: Bracket,
    /// The largest packet that the tunnel should carry, according to the negotiated MRUs.
    pub agreed: Option<u16>,
    /// An ICMP type 3 code 4 about GRE: its sender, and the next-hop MTU of the outer path.
    pub too_big: Option<Seen<(IpAddr, u16)>>,
    /// The largest MSS in a SYN inside the tunnel.
    pub mss: Option<Seen<u16>>,
    /// Outer packets that arrived in fragments and were complete.
    pub fragmented: Option<u32>,
    /// Outer packets with missing fragments.
    pub fragments_missing: Option<Seen<u32>>,
}

/// The sizes that pass in one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bracket {
    /// The largest size that arrived.
    pub passes: Option<Seen<u16>>,
    /// The smallest size that was lost repeatedly, while smaller ones passed.
    pub lost: Option<Seen<u16>>,
    /// Whether the sizes are those of the outer IP packet.
    pub is_outer: bool,
}
