//! The number of a server.

/// The number of a server in one store; [`crate::Servers::register_server`] gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub u64);
