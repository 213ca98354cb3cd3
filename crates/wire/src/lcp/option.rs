//! The configuration options of LCP (RFC 1661 section 6, RFC 1570 section 2, RFC 1990 section 5): one file each, and one
//! row in the table.

mod accm;
mod acfc;
mod auth;
mod callback;
mod endpoint;
mod magic;
mod mrru;
mod mru;
mod pfc;
mod short_sequence;

pub use accm::Accm;
pub use acfc::Acfc;
pub use auth::{Auth, AuthProtocol};
pub use callback::Callback;
pub use endpoint::Endpoint;
pub use magic::Magic;
pub use mrru::Mrru;
pub use mru::Mru;
pub use pfc::Pfc;
pub use short_sequence::ShortSequence;

use crate::cp::option_table;

option_table! {
    /// One option of LCP; unsupported ones are [`LcpOption::Other`].
    pub enum LcpOption<'a> {
        /// Maximum-Receive-Unit.
        Mru(Mru),
        /// Async-Control-Character-Map.
        Accm(Accm),
        /// Authentication-Protocol.
        Auth(Auth<'a>),
        /// Magic-Number.
        Magic(Magic),
        /// Protocol-Field-Compression.
        Pfc(Pfc),
        /// Address-and-Control-Field-Compression.
        Acfc(Acfc),
        /// Callback.
        Callback(Callback<'a>),
        /// Multilink Maximum-Received-Reconstructed-Unit.
        Mrru(Mrru),
        /// Multilink Short-Sequence-Number-Header-Format.
        ShortSequence(ShortSequence),
        /// Multilink Endpoint-Discriminator.
        Endpoint(Endpoint<'a>),
    }
    named {
        0 => "vendor extension",
        4 => "quality protocol",
        9 => "fcs alternatives",
        10 => "self-describing padding",
        11 => "numbered mode",
        15 => "compound frames",
    }
}
