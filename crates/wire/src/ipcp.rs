//! IPCP (RFC 1332, 1877).

mod option;

use core::fmt;

pub use option::{Address, Addresses, Compression, IpcpOption, NameServer, NameServerAddress};

use crate::{Protocol, cp};

/// Formats the packet in one line: `Configure-Request id 7: address 0.0.0.0, dns1 0.0.0.0`. Bounded,
/// printable.
pub fn describe<'a>(packet: &'a cp::Packet<'a>) -> impl fmt::Display + 'a {
    struct Describe<'a>(&'a cp::Packet<'a>);
    impl fmt::Display for Describe<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            cp::describe(f, Protocol::Ipcp, self.0, |f, opt| match IpcpOption::parse(opt) {
                Ok(option) => write!(f, "{option}"),
                Err(error) => write!(f, "{opt} ({error})"),
            })
        }
    }
    Describe(packet)
}

#[cfg(test)]
mod tests;
