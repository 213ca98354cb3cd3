//! Pieces of the packet path, measured alone.

pub mod rc4;
