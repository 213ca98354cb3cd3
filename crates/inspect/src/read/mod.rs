//! Parsers for the output of the host's own tools and for /proc.
//!
//! Every parser takes text and returns facts. What it cannot interpret is kept as such, or reported with its
//! place and what was expected. Parsers never panic, and their results are bounded.

pub mod ip;
pub mod iptables;
pub mod nft;
pub mod proc;
pub(crate) mod words;

use std::fmt;

/// The longest text that is parsed, in octets: a list of a hundred thousand addresses fits.
pub const TEXT_MAX: usize = 16 << 20;
/// The most rules that are kept of one host.
pub const RULES_MAX: usize = 100_000;
/// The most values that are kept of one set or map; a longer one is known only in part.
pub const SET_MAX: usize = 4096;
/// The most lines or entries that are kept of a table (routes, addresses, sockets, tracked connections).
pub const ENTRIES_MAX: usize = 65_536;

/// Why a text could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The source of the text: `nft -j list ruleset`.
    pub source: &'static str,
    /// The position: `line 12`, `nftables[3].rule`.
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

/// Parses JSON of bounded size.
pub(crate) fn json(source: &'static str, text: &str) -> Result<serde_json::Value, ReadError> {
    if text.len() > TEXT_MAX {
        return Err(error(source, "whole text", format!("at most {TEXT_MAX} octets")));
    }
    serde_json::from_str(text).map_err(|problem| {
        error(source, format!("line {} column {}", problem.line(), problem.column()), "JSON")
    })
}
