//! The options that are negotiated: one file each, and one row in the table. All others are rejected.

mod interface_identifier;

use super::context::Context;
use crate::negotiate::option_table;
use interface_identifier::InterfaceIdentifier;

#[cfg(test)]
pub(super) use interface_identifier::UNIVERSAL;

option_table! {
    /// IPV6CP's options, in the order of our requests.
    #[derive(Clone)]
    struct Options of Context {
        interface_identifier: InterfaceIdentifier,
    }
}
