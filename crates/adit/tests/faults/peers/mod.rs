//! Peers that do not do as they should, and a foreign one that does.
//!
//! [`server`] and [`client`] are tunnels with one thing wrong: the machines of `adit-tunnel` on real sockets, with
//! [`Manners`] that change what goes in or out. Servers that fail before PPTP are in [`listener`].

pub(crate) mod client;
pub(crate) mod drive;
pub(crate) mod frames;
pub(crate) mod listener;
pub(crate) mod rewriter;
pub(crate) mod server;

pub(crate) use drive::Manners;
