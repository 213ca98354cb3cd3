//! CCP (RFC 1962). Of its options, PPTP uses MPPE (RFC 3078 section 2).

mod option;

use core::fmt;

pub use option::{CcpOption, Mppe};

use crate::{Protocol, cp};

/// Formats the packet in one line: `Configure-Request id 4: mppe 128 stateless`. Bounded, printable.
pub fn describe<'a>(packet: &'a cp::Packet<'a>) -> impl fmt::Display + 'a {
    struct Describe<'a>(&'a cp::Packet<'a>);
    impl fmt::Display for Describe<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            cp::describe(f, Protocol::Ccp, self.0, |f, opt| match CcpOption::parse(opt) {
                Ok(option) => write!(f, "{option}"),
                Err(error) => write!(f, "{opt} ({error})"),
            })
        }
    }
    Describe(packet)
}

#[cfg(test)]
mod tests;
