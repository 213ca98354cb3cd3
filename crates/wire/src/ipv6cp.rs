//! IPV6CP (RFC 5072).

mod option;

use core::fmt;

pub use option::{InterfaceIdentifier, Ipv6cpOption};

use crate::{Protocol, cp};

/// Formats the packet in one line: `Configure-Request id 1: interface id 02aa:bbff:fecc:ddee`. Bounded,
/// printable.
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
