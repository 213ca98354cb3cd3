//! Multilink Endpoint-Discriminator (RFC 1990 section 5.1.3).

use core::fmt;

use crate::Protocol;
use crate::cp::{ConfigOption, Hex, Length, Opt};

/// The longest address in octets.
const ADDRESS_MAX: usize = 20;

/// The identity of the sender, for bundling links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint<'a> {
    /// The class, which defines the format of the address.
    pub class: u8,
    /// The address, at most 20 octets.
    pub address: &'a [u8],
}

impl<'a> ConfigOption<'a> for Endpoint<'a> {
    const PROTOCOL: Protocol = Protocol::Lcp;
    const KIND: u8 = 19;
    const NAME: &'static str = "endpoint";
    const LENGTH: Length = Length { field: "Endpoint-Discriminator Length", expected: "3 to 23" };

    fn read(opt: &Opt<'a>) -> Option<Endpoint<'a>> {
        let (class, address) = opt.data.split_first()?;
        (address.len() <= ADDRESS_MAX).then_some(Endpoint { class: *class, address })
    }

    fn data(&self) -> impl AsRef<[u8]> {
        [&[self.class], self.address].concat()
    }
}

impl fmt::Display for Endpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "endpoint class {} {}", self.class, Hex(self.address))
    }
}
