//! The options that are negotiated: one file each, and one row in the table. All others are rejected: Windows
//! asks for callback first and repeats its request without it.

mod accm;
mod authentication;
mod compression;
mod magic;
mod mru;

use adit_wire::lcp::{Acfc, Pfc};

use super::context::Context;
use crate::negotiate::option_table;
use accm::Accm;
use authentication::Authentication;
use compression::Compression;
use magic::Magic;
use mru::Mru;

option_table! {
    /// LCP's options, in the order of our requests.
    struct Options of Context {
        mru: Mru,
        authentication: Authentication,
        magic: Magic,
        pfc: Compression<Pfc>,
        acfc: Compression<Acfc>,
        accm: Accm,
    }
}
