//! Pieces of the packet path, measured alone.

pub mod gre_io;
pub mod guard;
pub mod rc4;
pub mod reach;
pub mod tun;
