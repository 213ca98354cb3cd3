//! The options that are negotiated: one file each, and one row in the table. All others are rejected: compression, the
//! old IP-Addresses, Mobile-IPv4.

mod address;
mod name_server;

use super::context::Context;
use crate::negotiate::option_table;
use address::Address;
use name_server::NameServers;

option_table! {
    /// IPCP's options, in the order of our requests.
    #[derive(Clone)]
    struct Options of Context {
        address: Address,
        name_servers: NameServers,
    }
}
