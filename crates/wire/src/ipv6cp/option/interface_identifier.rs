//! Interface-Identifier (RFC 5072 section 4.1).

use core::fmt;

use crate::Protocol;
use crate::cp::{ConfigOption, Length, Opt};

/// The lower 64 bits of the sender's link-local address; 0 requests an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterfaceIdentifier(pub u64);

impl<'a> ConfigOption<'a> for InterfaceIdentifier {
    const PROTOCOL: Protocol = Protocol::Ipv6cp;
    const KIND: u8 = 1;
    const NAME: &'static str = "interface id";
    const LENGTH: Length = Length { field: "Interface-Identifier Length", expected: "10" };

    fn read(opt: &Opt<'a>) -> Option<InterfaceIdentifier> {
        opt.data.try_into().ok().map(|octets| InterfaceIdentifier(u64::from_be_bytes(octets)))
    }

    fn data(&self) -> impl AsRef<[u8]> {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for InterfaceIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = [48, 32, 16, 0].map(|shift| self.0 >> shift & 0xffff);
        write!(f, "interface id {a:04x}:{b:04x}:{c:04x}:{d:04x}")
    }
}
