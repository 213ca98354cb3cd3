//! The name servers that both sides agreed on.

use core::net::Ipv4Addr;

/// Name servers, in order of preference within each kind.
#[derive(Default)]
pub(in crate::ipcp) struct Agreed {
    pub(in crate::ipcp) dns: Vec<Ipv4Addr>,
    pub(in crate::ipcp) wins: Vec<Ipv4Addr>,
}
