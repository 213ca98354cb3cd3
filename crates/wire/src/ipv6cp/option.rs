//! The configuration options of IPV6CP (RFC 5072 section 4): one file each, and one row in the table.

mod interface_identifier;

pub use interface_identifier::InterfaceIdentifier;

use crate::cp::option_table;

option_table! {
    /// One option of IPV6CP; unsupported ones are [`Ipv6cpOption::Other`].
    pub enum Ipv6cpOption<'a> {
        /// Interface-Identifier.
        InterfaceIdentifier(InterfaceIdentifier),
    }
    // IPv6-Compression-Protocol, RFC 5172.
    named {
        2 => "compression",
    }
}
