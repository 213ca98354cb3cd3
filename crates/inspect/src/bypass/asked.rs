//! The packets in question.

use std::net::Ipv4Addr;

/// The packets that are to bypass the IP stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The interface.
    pub interface: String,
    /// The addresses of this host that they have.
    pub addresses: Vec<Ipv4Addr>,
}
