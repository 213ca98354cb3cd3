//! IP-Address (RFC 1332 section 3.3).

use core::fmt;
use core::net::Ipv4Addr;

use crate::Protocol;
use crate::cp::{ConfigOption, Length, Opt};

/// The sender's own address; 0.0.0.0 requests one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub Ipv4Addr);

impl<'a> ConfigOption<'a> for Address {
    const PROTOCOL: Protocol = Protocol::Ipcp;
    const KIND: u8 = 3;
    const NAME: &'static str = "address";
    const LENGTH: Length = Length { field: "IP-Address Length", expected: "6" };

    fn read(opt: &Opt<'a>) -> Option<Address> {
        let octets: [u8; 4] = opt.data.try_into().ok()?;
        Some(Address(octets.into()))
    }

    fn data(&self) -> impl AsRef<[u8]> {
        self.0.octets()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "address {}", self.0)
    }
}
