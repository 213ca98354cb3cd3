//! The configuration options of IPCP (RFC 1332 section 3, RFC 1877): one file each, and one row in the table.

mod address;
mod addresses;
mod compression;
mod name_server;

pub use address::Address;
pub use addresses::Addresses;
pub use compression::Compression;
pub use name_server::{NameServer, NameServerAddress};

use crate::cp::option_table;

option_table! {
    /// One option of IPCP; unsupported ones are [`IpcpOption::Other`].
    pub enum IpcpOption<'a> {
        /// IP-Addresses.
        Addresses(Addresses),
        /// IP-Compression-Protocol.
        Compression(Compression<'a>),
        /// IP-Address.
        Address(Address),
        /// A DNS or WINS server.
        NameServer(NameServerAddress),
    }
    named {
        4 => "mobile address",
    }
}
