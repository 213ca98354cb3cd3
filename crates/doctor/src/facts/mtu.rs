//! Packet sizes.

use std::net::IpAddr;

use crate::Seen;

/// M. Sizes are those of the IP packet inside the tunnel, in octets, unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mtu {
    /// From client to server.
    pub to_server: Bracket,
    /// From server to client.
    pub to_client: Bracket,
    /// The largest packet that the tunnel should take, by what was agreed.
    pub agreed: Option<u16>,
    /// ICMP 3/4 about GRE: its sender, and the next-hop MTU of the outer path.
    pub too_big: Option<Seen<(IpAddr, u16)>>,
    /// The largest MSS in a SYN inside.
    pub mss: Option<Seen<u16>>,
    /// Outer packets that came in fragments, whole ones.
    pub fragmented: Option<u32>,
    /// Outer fragments whose rest never came.
    pub fragments_missing: Option<Seen<u32>>,
}

/// What passes one way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bracket {
    /// The largest that arrived.
    pub passes: Option<Seen<u16>>,
    /// The smallest that was lost again and again, while smaller ones passed.
    pub lost: Option<Seen<u16>>,
    /// The sizes are those of the outer IP packet.
    pub is_outer: bool,
}
