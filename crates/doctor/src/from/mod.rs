//! Sources of facts that need no I/O: a conversation in a capture, a record of a server.

pub mod capture;
pub mod record;
