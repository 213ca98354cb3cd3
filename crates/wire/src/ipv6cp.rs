//! IPV6CP: the configuration options (RFC 5072 section 4).

use core::fmt;

use crate::cp::{self, Hex, Opt};
use crate::{Protocol, Result};

/// Type octets of IPV6CP's options.
pub mod kind {
    /// Interface-Identifier.
    pub const INTERFACE_IDENTIFIER: u8 = 1;
    /// IPv6-Compression-Protocol (RFC 5172).
    pub const COMPRESSION: u8 = 2;
}

/// One option of IPV6CP that adit understands; all others are [`Ipv6cpOption::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ipv6cpOption<'a> {
    /// The lower 64 bits of the sender's link-local address; 0 asks for some.
    InterfaceIdentifier(u64),
    /// An option without a meaning here.
    Other {
        /// Its Type octet.
        kind: u8,
        /// Its data.
        data: &'a [u8],
    },
}

impl<'a> Ipv6cpOption<'a> {
    /// Gives an option its meaning.
    ///
    /// # Errors
    /// An Interface-Identifier whose Length is not 10.
    pub fn parse(opt: &Opt<'a>) -> Result<Ipv6cpOption<'a>> {
        match (opt.kind, <[u8; 8]>::try_from(opt.data)) {
            (kind::INTERFACE_IDENTIFIER, Ok(id)) => {
                Ok(Ipv6cpOption::InterfaceIdentifier(u64::from_be_bytes(id)))
            }
            (kind::INTERFACE_IDENTIFIER, Err(_)) => {
                Err(opt.wrong_length(Protocol::Ipv6cp, "Interface-Identifier Length", "10"))
            }
            (kind, _) => Ok(Ipv6cpOption::Other { kind, data: opt.data }),
        }
    }

    /// Appends the option.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match *self {
            Ipv6cpOption::InterfaceIdentifier(id) => {
                cp::push_option(out, kind::INTERFACE_IDENTIFIER, &id.to_be_bytes());
            }
            Ipv6cpOption::Other { kind, data } => cp::push_option(out, kind, data),
        }
    }
}

impl fmt::Display for Ipv6cpOption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ipv6cpOption::InterfaceIdentifier(id) => {
                let [a, b, c, d] = [id >> 48, id >> 32, id >> 16, *id].map(|group| group & 0xffff);
                write!(f, "interface id {a:04x}:{b:04x}:{c:04x}:{d:04x}")
            }
            Ipv6cpOption::Other { kind: kind::COMPRESSION, data } => write!(f, "compression {}", Hex(data)),
            Ipv6cpOption::Other { kind, data } => write!(f, "option {kind} {}", Hex(data)),
        }
    }
}

/// The packet in one line: `Configure-Request id 1: interface id 02aa:bbff:fecc:ddee`. Bounded, printable.
pub fn describe<'a>(packet: &'a cp::Packet<'a>) -> impl fmt::Display + 'a {
    struct Describe<'a>(&'a cp::Packet<'a>);
    impl fmt::Display for Describe<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            cp::describe(f, Protocol::Ipv6cp, self.0, |f, opt| match Ipv6cpOption::parse(opt) {
                Ok(option) => write!(f, "{option}"),
                Err(error) => write!(f, "{opt} ({error})"),
            })
        }
    }
    Describe(packet)
}

#[cfg(test)]
mod tests;
