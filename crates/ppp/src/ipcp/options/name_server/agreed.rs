//! What both sides know in the end.

use core::net::Ipv4Addr;

/// Name servers, those of a kind in order of preference.
#[derive(Default)]
pub(in crate::ipcp) struct Agreed {
    pub(in crate::ipcp) dns: Vec<Ipv4Addr>,
    pub(in crate::ipcp) wins: Vec<Ipv4Addr>,
}
