//! The options that are negotiated. Those that are only accepted (ACCM) or only rejected need no file.

pub(super) mod authentication;
pub(super) mod compression;
pub(super) mod magic;
pub(super) mod mru;
