//! The addresses that a server assigns to a client.

use core::net::Ipv4Addr;

/// The addresses and servers assigned to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressGrant {
    /// The client's address.
    pub peer: Ipv4Addr,
    /// The address of our end.
    pub local: Ipv4Addr,
    /// DNS servers; only the first two can be sent (RFC 1877).
    pub dns: Vec<Ipv4Addr>,
    /// WINS servers; only the first two can be sent.
    pub wins: Vec<Ipv4Addr>,
}
