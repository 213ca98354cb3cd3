//! What a server has for a client.

use core::net::Ipv4Addr;

/// What a client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressGrant {
    /// The client's address.
    pub peer: Ipv4Addr,
    /// Our end's address.
    pub local: Ipv4Addr,
    /// DNS servers; the first two can be told (RFC 1877).
    pub dns: Vec<Ipv4Addr>,
    /// WINS servers; the first two can be told.
    pub wins: Vec<Ipv4Addr>,
}
