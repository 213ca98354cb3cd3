//! What the host's own tools and /proc print, as types.
//!
//! Every reader takes text and returns facts. What it does not understand it keeps as such, or reports the place and
//! what it expected; it never panics, and what it keeps is bounded.

pub mod ip;
pub mod iptables;
pub mod nft;
pub mod proc;
mod words;

use std::fmt;

/// Text that a reader takes, in octets: a list of a hundred thousand addresses fits.
pub const TEXT_MAX: usize = 16 << 20;
/// Rules kept of one host.
pub const RULES_MAX: usize = 100_000;
/// Values kept of one set or map; a longer one is known only in part.
pub const SET_MAX: usize = 4096;
/// Lines or entries kept of a table (routes, addresses, sockets, tracked connections).
pub const ENTRIES_MAX: usize = 65_536;

/// Why a text could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Whose text it is: `nft -j list ruleset`.
    pub source: &'static str,
    /// Where: `line 12`, `nftables[3].rule`.
    pub place: String,
    /// What was expected there.
    pub expected: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: expected {}", self.source, self.place, self.expected)
    }
}

impl std::error::Error for ReadError {}

pub(crate) fn error(
    source: &'static str,
    place: impl Into<String>,
    expected: impl Into<String>,
) -> ReadError {
    ReadError { source, place: place.into(), expected: expected.into() }
}

/// JSON of bounded size.
pub(crate) fn json(source: &'static str, text: &str) -> Result<serde_json::Value, ReadError> {
    if text.len() > TEXT_MAX {
        return Err(error(source, "whole text", format!("at most {TEXT_MAX} octets")));
    }
    serde_json::from_str(text).map_err(|problem| {
        error(source, format!("line {} column {}", problem.line(), problem.column()), "JSON")
    })
}
