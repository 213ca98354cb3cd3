//! The host that looks, or is looked at.

/// S.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {}
