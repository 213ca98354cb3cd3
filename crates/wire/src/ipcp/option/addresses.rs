//! IP-Addresses (RFC 1172 section 5.1), the deprecated option with both addresses.

use core::fmt;
use core::net::Ipv4Addr;

use crate::Protocol;
use crate::cp::{ConfigOption, Length, Opt};

/// The addresses of both ends, as the sender sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The sender's address.
    pub own: Ipv4Addr,
    /// The receiver's address.
    pub peer: Ipv4Addr,
}

impl<'a> ConfigOption<'a> for Addresses {
    const PROTOCOL: Protocol = Protocol::Ipcp;
    const KIND: u8 = 1;
    const NAME: &'static str = "old addresses";
    const LENGTH: Length = Length { field: "IP-Addresses Length", expected: "10" };

    fn read(opt: &Opt<'a>) -> Option<Addresses> {
        let [a, b, c, d, e, f, g, h]: [u8; 8] = opt.data.try_into().ok()?;
        Some(Addresses { own: [a, b, c, d].into(), peer: [e, f, g, h].into() })
    }

    fn data(&self) -> impl AsRef<[u8]> {
        [self.own.octets(), self.peer.octets()].concat()
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "old addresses {} {}", self.own, self.peer)
    }
}
