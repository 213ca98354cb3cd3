//! The outcome of undoing a change.

use std::fmt;

use crate::error::Error;

/// The outcome of undoing a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// The change was undone.
    Undone,
    /// The change was no longer in effect.
    Gone,
    /// Another program has changed it since, so it was kept; with what was found.
    Left(String),
    /// The change could not be undone, and stays in the journal.
    Failed(Error),
}

impl fmt::Display for Undone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Undone::Undone => f.write_str("undone"),
            Undone::Gone => f.write_str("gone already"),
            Undone::Left(why) => write!(f, "left as it is: {why}"),
            Undone::Failed(error) => write!(f, "not undone: {error}"),
        }
    }
}
