//! The configuration options of CCP (RFC 1962 section 4): one file each, and one row in the table.

mod mppe;

pub use mppe::Mppe;

use crate::cp::option_table;

option_table! {
    /// One option of CCP; compressors, which PPTP does not use, are [`CcpOption::Other`].
    pub enum CcpOption<'a> {
        /// MPPE and MPPC.
        Mppe(Mppe),
    }
    named {
        0 => "proprietary compression",
        1 => "predictor 1",
        2 => "predictor 2",
        3 => "puddle jumper",
        17 => "stac lzs",
        21 => "bsd compress",
        24 | 26 => "deflate",
    }
}
