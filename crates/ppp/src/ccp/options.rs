//! The options that are negotiated: one file each, and one row in the table. All others, which are compressors, are
//! rejected.

mod mppe;

use super::context::Context;
use crate::negotiate::option_table;
use mppe::Mppe;

pub(super) use mppe::bit;
pub use mppe::no_keys;

option_table! {
    /// CCP's options, in the order of our requests.
    #[derive(Clone)]
    struct Options of Context {
        mppe: Mppe,
    }
}
